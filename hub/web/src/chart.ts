/** The parts of ECharts that we use, drawn on a canvas: tooltips as canvas text, because HTML ones need inline styles. */
import { BarChart, CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { AriaComponent, DataZoomComponent, GridComponent, MarkAreaComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsCoreOption } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([
  AriaComponent,
  BarChart,
  CanvasRenderer,
  CustomChart,
  DataZoomComponent,
  GridComponent,
  LineChart,
  MarkAreaComponent,
  ScatterChart,
  TooltipComponent,
]);

export type ChartOption = EChartsCoreOption;

export interface Chart {
  set(option: ChartOption): void;
  close(): void;
}

/** A chart that fills `element` and follows its size. */
export function openChart(element: HTMLElement): Chart {
  const chart = init(element, null, { renderer: "canvas" });
  const observer = new ResizeObserver(() => chart.resize());
  observer.observe(element);
  return {
    set: (option) => chart.setOption(option, { notMerge: true }),
    close: () => {
      observer.disconnect();
      chart.dispose();
    },
  };
}

/** A colour of the theme, as the canvas needs it. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
