import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [vue()],
  // Templates in tests are strings, so the build of Vue with a compiler is needed there.
  resolve: { alias: { vue: "vue/dist/vue.esm-bundler.js" } },
  define: { __VUE_OPTIONS_API__: true, __VUE_PROD_DEVTOOLS__: false, __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false },
  test: {
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "http://hub.test/" } },
    include: ["tests/**/*.test.ts"],
    setupFiles: ["tests/setup.ts"],
    // What hangs ends; a busy machine breaks nothing.
    testTimeout: 60_000,
    css: false,
    server: { deps: { inline: ["element-plus"] } },
  },
});
