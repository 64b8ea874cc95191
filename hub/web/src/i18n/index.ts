import { createI18n } from "vue-i18n";

import zhCN, { type Messages } from "./zh-CN";

export type Language = "zh-CN" | "en";
const KEY = "anfang.language";

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: "zh-CN",
  fallbackLocale: "zh-CN",
  messages: { "zh-CN": zhCN } as Record<Language, Messages>,
});

export function rememberedLanguage(): Language {
  return localStorage.getItem(KEY) === "en" ? "en" : "zh-CN";
}

export async function setLanguage(language: Language): Promise<void> {
  if (language === "en" && !i18n.global.availableLocales.includes("en")) {
    i18n.global.setLocaleMessage("en", (await import("./en")).default);
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
  localStorage.setItem(KEY, language);
  document.title = i18n.global.t("app.name");
}

/** The reader's half of a text that the hub sends in both languages, as `中文 / English`. */
export function inLanguage(text: string): string {
  const at = text.indexOf(" / ");
  if (at < 0 || !/\p{Script=Han}/u.test(text.slice(0, at))) return text;
  return i18n.global.locale.value === "en" ? text.slice(at + 3) : text.slice(0, at);
}

/** The text of the two languages that the hub sends, in the reader's. */
export function told(text: { zh: string; en: string } | null | undefined): string {
  if (!text) return "";
  return i18n.global.locale.value === "en" ? text.en : text.zh;
}
