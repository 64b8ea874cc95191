/** Alerts by class over hours or days, as stacked bars; the gravest class stands at the foot. */
import { CLASSES } from "./alerts";
import type { Schemas } from "./api/client";
import { colour, type ChartOption } from "./chart";
import { i18n } from "./i18n";
import { dayTime, hourTime } from "./time";

const COLOURS = { L: "--class-l", S: "--class-s", C: "--class-c", W: "--class-w", T: "--class-t" } as const;

export function seriesOption(points: readonly Schemas["Opened"][], step: "hour" | "day"): ChartOption {
  const { t } = i18n.global;
  const muted = colour("--muted");
  const line = colour("--line");
  const label = step === "hour" ? hourTime : dayTime;
  return {
    animation: false,
    aria: { enabled: true, label: { description: seriesText(points) } },
    textStyle: { color: colour("--text"), fontFamily: "inherit" },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      axisPointer: { type: "shadow" },
      backgroundColor: colour("--surface"),
      borderColor: line,
      textStyle: { color: colour("--text") },
    },
    grid: { left: 36, right: 12, top: 12, bottom: 24 },
    xAxis: {
      type: "category",
      data: points.map((point) => label(point.at)),
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisLabel: { color: muted },
    },
    yAxis: { type: "value", minInterval: 1, axisLabel: { color: muted }, splitLine: { lineStyle: { color: line } } },
    series: CLASSES.map((kind) => ({
      type: "bar",
      stack: "all",
      name: t(`class.${kind}`),
      itemStyle: { color: colour(COLOURS[kind]) },
      barMaxWidth: 22,
      data: points.map((point) => point.by_class[kind] ?? 0),
    })),
  };
}

/** The same as a sentence, for those who cannot see it. */
export function seriesText(points: readonly Schemas["Opened"][]): string {
  const { t } = i18n.global;
  const total = (kind: (typeof CLASSES)[number]): number => points.reduce((sum, point) => sum + (point.by_class[kind] ?? 0), 0);
  return CLASSES.map((kind) => `${t(`class.${kind}`)} ${total(kind)}`).join(t("overview.comma"));
}
