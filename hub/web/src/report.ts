/** How the figures of the monthly report are written. */
import type { Schemas } from "./api/client";

export type Report = Schemas["MonthlyReport"];
export type Form = Schemas["Definition"]["form"];

/** 12.5%, 1:05:00, a dash for what cannot be said: the same as on paper. */
export function figureText(value: number | null | undefined, form: Form): string {
  if (value === null || value === undefined) return "—";
  if (form === "share") return `${(value * 100).toFixed(1)}%`;
  if (form === "seconds") {
    const seconds = Math.round(value);
    const part = (n: number): string => String(n).padStart(2, "0");
    return `${Math.floor(seconds / 3600)}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
  }
  return String(value);
}

/** `2026-11` of an instant, as a calendar in China shows it. */
export function monthOf(at: Date): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit" }).formatToParts(at);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? "";
  return `${of("year")}-${of("month")}`;
}

/** The last months, the one that runs first. */
export function lastMonths(now: Date, count: number): string[] {
  const [year = 0, month = 1] = monthOf(now).split("-").map(Number);
  return Array.from({ length: count }, (_, back) => {
    const n = year * 12 + month - 1 - back;
    return `${Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, "0")}`;
  });
}
