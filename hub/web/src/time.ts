import { onUnmounted, ref, type Ref } from "vue";

import { i18n } from "./i18n";

/** The present, moving on each second while a component shows it. */
export function useNow(everyMs = 1000): Ref<number> {
  const now = ref(Date.now());
  const timer = setInterval(() => (now.value = Date.now()), everyMs);
  onUnmounted(() => clearInterval(timer));
  return now;
}

export function clockTime(at: string | number | Date): string {
  return new Intl.DateTimeFormat(i18n.global.locale.value, {
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(at));
}

export function dateTime(at: string | number | Date): string {
  return new Intl.DateTimeFormat(i18n.global.locale.value, {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(at));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** "3 分钟前", "in 2 hours". */
export function relative(at: string | number, now: number, style: "long" | "narrow" = "long"): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000);
  const [unit, size] = STEPS.find(([, step]) => Math.abs(seconds) >= step) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(i18n.global.locale.value, { numeric: "auto", style }).format(
    Math.trunc(seconds / size),
    unit,
  );
}

/** Of what has happened: a gateway's or the hub's clock may be a little ahead of this one, and nothing happens later. */
export function ago(at: string | number, now: number, style: "long" | "narrow" = "long"): string {
  return relative(Math.min(new Date(at).getTime(), now), now, style);
}

/** Today where the reader is, as `2026-01-31`. */
export function today(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

/** "14:00". */
export function hourTime(at: string | number | Date): string {
  return new Intl.DateTimeFormat(i18n.global.locale.value, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
}

/** "11/23". */
export function dayTime(at: string | number | Date): string {
  return new Intl.DateTimeFormat(i18n.global.locale.value, { month: "2-digit", day: "2-digit" }).format(new Date(at));
}
