import { createReadStream, createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import vue from "@vitejs/plugin-vue";
import { defineConfig, type Plugin } from "vite";

/** Compresses what the build wrote, so that the hub sends it as it is. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async closeBundle() {
      const folder = join(import.meta.dirname, "dist", "assets");
      const names = (await readdir(folder)).filter((name) => /\.(js|css|svg)$/.test(name));
      await Promise.all(
        names.map((name) =>
          pipeline(
            createReadStream(join(folder, name)),
            createGzip({ level: 9 }),
            createWriteStream(join(folder, `${name}.gz`)),
          ),
        ),
      );
    },
  };
}

export default defineConfig({
  plugins: [vue(), compressed()],
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: {
    target: "es2022",
    // Inlined assets would need data: in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (/node_modules\/(zrender|echarts)\//.test(id)) return "charts";
          if (/node_modules\/(@vue|vue|vue-router|vue-i18n|@intlify)\//.test(id)) return "vue";
          return undefined;
        },
      },
    },
  },
  server: { proxy: { "/api": process.env["ANFANG_HUB"] ?? "http://127.0.0.1:8080" } },
});
