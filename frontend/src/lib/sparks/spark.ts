/** An instrument's day as a line so small that it fits into a cell: its path, and the same in words. */

import type { Decimal } from "../answers/base";
import { reach } from "../charts/reach";
import * as money from "../money";

/** Recorded prices; minutes count from midnight in New York, and rise. */
export interface DayLine {
  minutes: readonly number[];
  prices: readonly Decimal[];
}

/** What counts now, drawn after the line. */
export interface Tip {
  price: Decimal | null;
  /** Its minute; null where it is not of this day. */
  minute: number | null;
  previousClose: Decimal | null;
}

/** The minutes at the left and at the right edge: one pair for all, so that lines can be compared. */
export interface Span {
  from: number;
  to: number;
}

export type Way = "up" | "down" | "flat";

export interface Spark {
  path: string;
  /** Of the previous close; "" where it is not known. */
  base: string;
  /** A mark at the end that tells the way by its form. */
  end: string;
  way: Way;
}

export const WIDTH = 72;
export const HEIGHT = 20;
/** Free at every side, for the mark at the end, in pixels. */
const EDGE = 4;

/** Which way it went since the previous close. */
function wayOf(price: Decimal, previousClose: Decimal | null): Way {
  const sign = previousClose === null ? 0 : money.sign(money.minus(price, previousClose));
  return sign > 0 ? "up" : sign < 0 ? "down" : "flat";
}

const ENDS: Record<Way, (x: string, y: string) => string> = {
  up: (x, y) => `M${x} ${y}m-3 2l3 -5l3 5z`,
  down: (x, y) => `M${x} ${y}m-3 -2l3 5l3 -5z`,
  flat: (x, y) => `M${x} ${y}m-2 -2h4v4h-4z`,
};

/** Null where nothing was recorded. Prices become JavaScript numbers here, and only to be drawn. */
export function sparkOf(line: DayLine | undefined, tip: Tip, span: Span): Spark | null {
  const last = line?.prices.at(-1);
  if (line === undefined || last === undefined) return null;
  const end = line.minutes.at(-1) ?? 0;
  const isTipped = tip.price !== null && tip.minute !== null;
  const minutes = isTipped ? [...line.minutes, Math.max(end, tip.minute ?? 0)] : line.minutes;
  const price = (isTipped ? tip.price : null) ?? last;
  const values = [...line.prices, ...(isTipped ? [price] : [])].map(Number);
  const close = tip.previousClose === null ? null : Number(tip.previousClose);
  const seen = reach(values);
  if (seen === null) return null;
  const low = Math.min(seen.low, close ?? seen.low);
  const high = Math.max(seen.high, close ?? seen.high);
  const long = Math.max(span.to - span.from, 1);
  const x = (minute: number): string =>
    (EDGE + (Math.min(Math.max(minute - span.from, 0), long) / long) * (WIDTH - 2 * EDGE)).toFixed(1);
  const y = (value: number): string =>
    (high === low
      ? HEIGHT / 2
      : EDGE + ((high - Math.min(Math.max(value, low), high)) / (high - low)) * (HEIGHT - 2 * EDGE)
    ).toFixed(1);
  const way = wayOf(price, tip.previousClose);
  return {
    path: values.map((value, n) => `${n === 0 ? "M" : "L"}${x(minutes[n] ?? 0)} ${y(value)}`).join(""),
    base: close === null ? "" : `M${EDGE} ${y(close)}H${WIDTH - EDGE}`,
    end: ENDS[way](x(minutes.at(-1) ?? 0), y(values.at(-1) ?? 0)),
    way,
  };
}

/** The change since the previous close: "+1.25%"; null where it is not known. */
export function changeOf(price: Decimal | null, previousClose: Decimal | null): string | null {
  if (price === null || previousClose === null) return null;
  return money.percent(money.minus(price, previousClose), previousClose);
}

/** The line for who does not see it. */
export function sparkWords(line: DayLine | undefined, tip: Tip, isStale: boolean): string {
  if (line === undefined || line.prices.length === 0) return "No prices recorded today";
  const sorted = [...line.prices, ...(tip.price === null || tip.minute === null ? [] : [tip.price])].toSorted(
    (left, right) => money.compareDecimals(left, right, false),
  );
  const [low, high] = [sorted.at(0) ?? "0", sorted.at(-1) ?? "0"];
  const change = changeOf(tip.price, tip.previousClose);
  const since = change === null ? "" : `${change} since the previous close, `;
  const between = low === high ? `at ${money.price(low)}` : `between ${money.price(low)} and ${money.price(high)}`;
  return `${since}today ${between}${isStale ? "; stale" : ""}`;
}
