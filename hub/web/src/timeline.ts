import type { Schemas } from "./api/client";
import { colour, type ChartOption } from "./chart";
import { i18n } from "./i18n";
import { clockTime } from "./time";

export type Timeline = Schemas["Timeline"];
type Mark = Schemas["Mark"];

const LANES = ["smoke", "help", "lock", "door", "crossing"] as const;
export type Lane = (typeof LANES)[number];

/** Whether a mark is one to look at. */
function isGrave(mark: Mark): boolean {
  return mark.lane === "smoke" ? mark.what === "alarm" : !["granted", "open", "closed", "in", "out", "cancelled"].includes(mark.what);
}

/** A mark in words. */
export function markText(mark: Mark): string {
  const { t, te } = i18n.global;
  const what = te(`timeline.what.${mark.what}`) ? t(`timeline.what.${mark.what}`) : mark.what;
  return `${clockTime(mark.at)}  ${mark.device}  ${what}${mark.count > 1 ? ` ×${mark.count}` : ""}`;
}

/** The lanes that have something to show, from the top. */
export function lanesOf(timeline: Timeline): Lane[] {
  return LANES.filter((lane) => timeline.marks.some((mark) => mark.lane === lane));
}

/** One time axis: marks in lanes above; below, the belief as a band and the registered number as a line. */
export function timelineOption(timeline: Timeline, capacity: number | null): ChartOption {
  const { t } = i18n.global;
  const lanes = lanesOf(timeline);
  const text = colour("--text");
  const muted = colour("--muted");
  const line = colour("--line");
  const grave = colour("--life");
  const calm = colour("--el-color-primary");
  const start = Date.parse(timeline.start);
  const end = Date.parse(timeline.end);
  const laneHeight = Math.max(1, lanes.length) * 26;
  const axis = { type: "time", min: start, max: end, axisLine: { lineStyle: { color: line } }, axisLabel: { color: muted } };
  const nights = timeline.nights.filter((night) => !night.abstained);
  const steps: [number, number][] = timeline.registered.map((step) => [Date.parse(step.at), step.registered]);
  const last = steps.at(-1);
  if (last) steps.push([end, last[1]]);
  const most = Math.max(2, capacity ?? 0, ...nights.map((night) => night.upper), ...steps.map(([, n]) => n)) + 1;

  const outages = timeline.outages.map((outage) => [
    { xAxis: Math.max(start, Date.parse(outage.start)), name: t(`timeline.why.${outage.why}`) },
    { xAxis: outage.end ? Math.min(end, Date.parse(outage.end)) : end },
  ]);
  const grey = { silent: true, itemStyle: { color: colour("--gap") }, label: { color: muted, position: "insideTop" }, data: outages };

  return {
    animation: false,
    aria: { enabled: true, label: { description: t("timeline.aria") } },
    textStyle: { color: text, fontFamily: "inherit" },
    tooltip: { trigger: "item", renderMode: "richText", backgroundColor: colour("--surface"), borderColor: line, textStyle: { color: text } },
    grid: [
      { left: 84, right: 16, top: 8, height: laneHeight },
      { left: 84, right: 16, top: laneHeight + 40, height: 110 },
    ],
    xAxis: [
      { ...axis, gridIndex: 0, axisLabel: { show: false }, splitLine: { show: true, lineStyle: { color: line, opacity: 0.5 } } },
      { ...axis, gridIndex: 1, splitLine: { show: true, lineStyle: { color: line, opacity: 0.5 } } },
    ],
    yAxis: [
      {
        type: "category",
        gridIndex: 0,
        inverse: true,
        data: lanes.map((lane) => t(`timeline.lane.${lane}`)),
        axisTick: { show: false },
        axisLine: { show: false },
        axisLabel: { color: text },
        splitLine: { show: true, lineStyle: { color: line } },
      },
      {
        type: "value",
        gridIndex: 1,
        min: 0,
        max: most,
        minInterval: 1,
        name: t("timeline.people"),
        nameTextStyle: { color: muted, align: "right" },
        axisLabel: { color: muted },
        splitLine: { lineStyle: { color: line, opacity: 0.5 } },
      },
    ],
    dataZoom: [{ type: "inside", xAxisIndex: [0, 1], zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false }],
    series: [
      {
        type: "scatter",
        xAxisIndex: 0,
        yAxisIndex: 0,
        symbolSize: (_: unknown, params: { dataIndex: number }) => (isGrave(timeline.marks[params.dataIndex] as Mark) ? 13 : 9),
        data: timeline.marks.map((mark) => ({
          value: [Date.parse(mark.at), t(`timeline.lane.${mark.lane}`)],
          // Shape as well as colour: in and out, open and shut, grave and calm.
          symbol: isGrave(mark) ? "diamond" : "circle",
          itemStyle: isGrave(mark)
            ? { color: grave }
            : { color: ["out", "closed"].includes(mark.what) ? colour("--surface") : calm, borderColor: calm, borderWidth: 2 },
          name: markText(mark),
        })),
        tooltip: { formatter: "{b}" },
        markArea: grey,
      },
      {
        type: "custom",
        xAxisIndex: 1,
        yAxisIndex: 1,
        name: t("timeline.belief"),
        data: nights.map((night) => [Date.parse(night.start), Date.parse(night.end), night.lower, night.upper, night.mean]),
        encode: { x: [0, 1], y: [2, 3] },
        tooltip: {
          formatter: (params: { value: number[] }) =>
            t("timeline.night", { at: clockTime(params.value[0] ?? 0), lower: params.value[2], upper: params.value[3] }),
        },
        renderItem: (_: unknown, api: { value(i: number): number; coord(p: number[]): number[] }) => {
          const from = api.coord([api.value(0), api.value(3)]);
          const to = api.coord([api.value(1), api.value(2)]);
          const middle = api.coord([api.value(0), api.value(4)])[1] ?? 0;
          const x = from[0] ?? 0;
          const width = Math.max(6, (to[0] ?? 0) - x);
          const y = (from[1] ?? 0) - 2;
          return {
            type: "group",
            children: [
              { type: "rect", shape: { x, y, width, height: (to[1] ?? 0) - y + 2 }, style: { fill: colour("--band") } },
              { type: "rect", shape: { x, y: middle - 1, width, height: 2 }, style: { fill: calm } },
            ],
          };
        },
        markArea: { ...grey, label: { show: false } },
      },
      {
        type: "line",
        xAxisIndex: 1,
        yAxisIndex: 1,
        name: t("timeline.registered"),
        step: "end",
        symbol: "none",
        silent: true,
        lineStyle: { color: text, width: 2 },
        data: steps,
      },
      ...(capacity === null
        ? []
        : [
            {
              type: "line",
              xAxisIndex: 1,
              yAxisIndex: 1,
              name: t("timeline.capacity"),
              symbol: "none",
              silent: true,
              lineStyle: { color: grave, width: 1, type: "dashed" },
              data: [
                [start, capacity],
                [end, capacity],
              ],
            },
          ]),
    ],
  };
}

/** How tall the drawing is. */
export function timelineHeight(timeline: Timeline): number {
  return Math.max(1, lanesOf(timeline).length) * 26 + 40 + 110 + 34;
}
