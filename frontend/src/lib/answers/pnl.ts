/** P&L over sessions and over the day. */

import * as v from "valibot";

import { figureEntries } from "../figures";
import { count, date, decimal, decimalOrNull, flag, list, object, text, textOrNull } from "./base";

/** One point of an account's day; null where it could not be computed. */
export const intradayPoint = object({ account: text, at: text, total_pnl: decimalOrNull, pnl_valid: flag });
export type IntradayPoint = v.InferOutput<typeof intradayPoint>;

/** By account these fields are absent, which is as good as unknown. */
const decimalIfThere = v.optional(decimalOrNull, null);

/** P&L of a session by account, or by account and ticker: then with `ticker`, else null. */
export const pnlRow = object({
  session: date,
  account: text,
  ticker: v.optional(textOrNull, null),
  opening_quantity: decimalIfThere,
  closing_quantity: decimalIfThere,
  previous_close: decimalIfThere,
  mark: decimalIfThere,
  ...figureEntries,
  correction_pnl: decimalOrNull,
  is_final: flag,
  pnl_valid: flag,
  pnl_reason: textOrNull,
  invalid_rows: count,
  restated_at: textOrNull,
});
export type PnlRow = v.InferOutput<typeof pnlRow>;

/** A version recorded after the session's end that is part of the difference. */
const snapshotChange = object({
  trade: text,
  version: count,
  status: text,
  actor: text,
  reason: text,
  recorded_at: text,
  quantity: decimal,
});

/** A key whose snapshot, taken at a session's end, is not what is known of that session now. */
export const snapshotDifference = object({
  session: date,
  account: text,
  ticker: text,
  snapshot_quantity: decimal,
  quantity: decimal,
  snapshot_close: decimalOrNull,
  close: decimalOrNull,
  pnl_effect: decimalOrNull,
  changes: list(snapshotChange),
});
export type SnapshotDifference = v.InferOutput<typeof snapshotDifference>;
