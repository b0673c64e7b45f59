/** Instruments, prices, and prices that wait for a decision. */

import * as v from "valibot";

import { count, date, decimal, decimalOrNull, flag, list, number, object, text, textOrNull } from "./base";

export const instrument = object({ ticker: text, name: text, is_active: flag });
export type Instrument = v.InferOutput<typeof instrument>;

/** Key: ticker. */
export const priceRow = object({
  ticker: text,
  price: decimalOrNull,
  as_of: textOrNull,
  age_seconds: v.nullable(number),
  stale: flag,
  source: textOrNull,
  override: flag,
  /** A newer price, or a close, is held back until somebody decides. */
  doubtful: flag,
  previous_close: decimalOrNull,
});
export type PriceRow = v.InferOutput<typeof priceRow>;

/** A price that was not plausible. `compared_with` is what it is far from, by `kind`. */
export const doubt = object({
  id: count,
  ticker: text,
  session: date,
  kind: text,
  price: decimal,
  compared_with: decimal,
  /** The split that would explain it, as "10:1". */
  split: textOrNull,
  raised_at: text,
  state: text,
});
export type Doubt = v.InferOutput<typeof doubt>;

/** A price by hand, which counts until it expires or is ended. */
export const override = object({
  id: count,
  ticker: text,
  price: decimal,
  reason: text,
  user: text,
  expires_at: text,
});
export type Override = v.InferOutput<typeof override>;

export const closeRow = object({ ticker: text, session: date, close: decimal, source: text });
export type CloseRow = v.InferOutput<typeof closeRow>;

export const seriesPoint = object({ at: text, price: decimal });
export const series = object({ points: list(seriesPoint) });

/** The business date's prices in few points; minutes count from `starts_at`. */
export const dayLines = object({
  starts_at: text,
  lines: list(object({ ticker: text, minutes: list(count), prices: list(decimal) })),
});
