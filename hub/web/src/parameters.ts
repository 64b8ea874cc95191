/** A rule's parameters in words: the unit of a value stands at the end of its name. */
import { i18n } from "./i18n";

export function parameterName(name: string): string {
  const { t, te } = i18n.global;
  return te(`parameters.${name}`) ? t(`parameters.${name}`) : name;
}

function seconds(value: number): string {
  const { t } = i18n.global;
  if (value !== 0 && value % 86_400 === 0) return t("units_of.days", { n: value / 86_400 });
  if (value !== 0 && value % 3_600 === 0) return t("units_of.h", { n: value / 3_600 });
  if (value !== 0 && value % 60 === 0) return t("units_of.min", { n: value / 60 });
  return t("units_of.s", { n: value });
}

function number(name: string, value: number): string {
  const { t } = i18n.global;
  if (name === "min_coverage" || name === "confidence") return `${Math.round(value * 100)}%`;
  const unit = name.slice(name.lastIndexOf("_") + 1);
  if (unit === "s") return seconds(value);
  if (unit === "pct") return `${value}%`;
  if (unit === "m2") return `${value} ㎡`;
  if (name === "days") return t("units_of.days", { n: value });
  if (unit === "days" || unit === "workdays" || unit === "years" || unit === "h") return t(`units_of.${unit}`, { n: value });
  return String(value);
}

/** A value for a reader: 60 of `ack_within_s` is "1 分钟". */
export function parameterValue(name: string, value: unknown): string {
  const { t, te } = i18n.global;
  if (value === null || value === undefined) return t("app.unknown");
  if (typeof value === "boolean") return value ? t("app.yes") : t("app.no");
  if (typeof value === "number") return number(name, value);
  if (Array.isArray(value)) return value.map((part) => parameterValue(name, part)).join(t("app.comma"));
  const text = String(value);
  return te(`units.bases.${text}`) ? t(`units.bases.${text}`) : text;
}
