/** Axes that all charts share. Figures become JavaScript numbers here, and only to be drawn. */

import type uPlot from "uplot";

import type { Palette } from "./palette";

const FONT = "11px Inter, system-ui, sans-serif";

const COMPACT = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 2 });

export function compact(value: number): string {
  return COMPACT.format(value).replace("-", "−");
}

export function axis(colours: Palette, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    stroke: colours.muted,
    font: FONT,
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
    ...more,
  };
}

export function moneyAxis(colours: Palette, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return axis(colours, {
    side: 1,
    size: 54,
    values: (_chart, splits) => splits.map(compact),
    ...more,
  });
}

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York",
  hour: "2-digit",
  minute: "2-digit",
});

/** Times of day as the exchange reads them. */
export function clockAxis(colours: Palette): uPlot.Axis {
  return axis(colours, {
    size: 24,
    space: 60,
    values: (_chart, splits) => splits.map((seconds) => CLOCK.format(seconds * 1000)),
  });
}
