import { reactive, watchEffect } from "vue";

export type Theme = "auto" | "light" | "dark";

const stored = localStorage.getItem("anfang.theme");
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

export const prefs = reactive({
  theme: (stored === "light" || stored === "dark" ? stored : "auto") as Theme,
  systemIsDark: systemIsDark.matches,
  /** Browsers allow sound only after a click; so it is a button, and off at first. */
  hasSound: localStorage.getItem("anfang.sound") === "on",
});

systemIsDark.addEventListener("change", (event) => (prefs.systemIsDark = event.matches));

export function isDark(): boolean {
  return prefs.theme === "dark" || (prefs.theme === "auto" && prefs.systemIsDark);
}

watchEffect(() => {
  document.documentElement.classList.toggle("dark", isDark());
  localStorage.setItem("anfang.theme", prefs.theme);
  localStorage.setItem("anfang.sound", prefs.hasSound ? "on" : "off");
});
