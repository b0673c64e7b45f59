/** Axes that all charts share. Figures become JavaScript numbers here, and only to be drawn. */

import type uPlot from "uplot";

import type { Palette } from "./palette";

const FONT = "11px Inter, system-ui, sans-serif";

/** Short forms of an axis's figures, with as many digits as it takes to tell neighbours apart. */
export function compact(values: readonly number[]): string[] {
  for (let digits = 2; ; digits++) {
    const format = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: digits });
    const shown = values.map((value) => format.format(value).replace("-", "−"));
    if (digits === 5 || new Set(shown).size === new Set(values).size) return shown;
  }
}

/** Pixels for the longest of these figures in the axes' font. */
export function axisWidth(shown: readonly string[] | null): number {
  const longest = Math.max(0, ...(shown ?? []).map((text) => text.length));
  return Math.max(54, Math.ceil(16 + longest * 6.5));
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
    size: (_chart, shown) => axisWidth(shown),
    values: (_chart, splits) => compact(splits),
    ...more,
  });
}

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York",
  hour: "2-digit",
  minute: "2-digit",
});

/** The marks that lie in sight: of a short span the chart makes some beyond it. */
export function inSight(splits: readonly number[], scale: uPlot.Scale | undefined): (number | null)[] {
  const { min = -Infinity, max = Infinity } = scale ?? {};
  return splits.map((at) => (at >= min && at <= max ? at : null));
}

/** Times of day as the exchange reads them. */
export function clockAxis(colours: Palette): uPlot.Axis {
  const filter: uPlot.Axis.Filter = (chart, splits) => inSight(splits, chart.scales["x"]);
  return axis(colours, {
    size: 24,
    space: 60,
    filter,
    grid: { stroke: colours.line, width: 1, filter },
    // Whole minutes, since that is what is shown, in seconds.
    incrs: [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360].map((minutes) => minutes * 60),
    values: (_chart, splits: readonly (number | null)[]) =>
      splits.map((seconds) => (seconds === null ? "" : CLOCK.format(seconds * 1000))),
  });
}

type Range = [low: number, high: number];

/** Ranges of two scales with zero in sight and at the same height of both. */
export function alignedRanges(left: readonly number[], right: readonly number[]): [Range, Range] {
  const reach = (values: readonly number[]): Range => [
    Math.min(0, ...values),
    Math.max(0, ...values),
  ];
  const both = [reach(left), reach(right)] as const;
  // The shares of the height that must lie below and above zero.
  const share = ([low, high]: Range): Range =>
    high === low ? [0, 0] : [-low / (high - low), high / (high - low)];
  const below = Math.max(...both.map((each) => share(each)[0]));
  const above = Math.max(...both.map((each) => share(each)[1]));
  if (below + above === 0) return [[0, 1], [0, 1]];
  const ranged = ([low, high]: Range): Range => {
    const unit = Math.max(below > 0 ? -low / below : 0, above > 0 ? high / above : 0) || 1;
    return [-below * unit * 1.06, above * unit * 1.06];
  };
  return [ranged(both[0]), ranged(both[1])];
}
