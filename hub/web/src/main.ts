import "./theme.css";

import { createApp } from "vue";

import App from "./App.vue";
import { i18n, setLanguage, rememberedLanguage } from "./i18n";
import { router } from "./router";
import { restore } from "./session";

async function start(): Promise<void> {
  await setLanguage(rememberedLanguage());
  await restore();
  createApp(App).use(i18n).use(router).mount("#app");
}

void start();
