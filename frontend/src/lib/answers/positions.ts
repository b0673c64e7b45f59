/** Positions, totals, and what is to settle. */

import * as v from "valibot";

import { figureEntries } from "../figures";
import { count, date, decimal, decimalOrNull, flag, list, object, text, textOrNull } from "./base";

/** A corporate action that acts on a row's session. */
export const acting = object({ id: text, kind: text, keep_new: decimal, keep_old: decimal, cash: decimal });
export type Acting = v.InferOutput<typeof acting>;

const position = {
  account: text,
  ticker: text,
  session: date,
  quantity: decimal,
  average_cost: decimalOrNull,
  price: decimalOrNull,
  price_as_of: textOrNull,
  mark_source: textOrNull,
  price_source: textOrNull,
  previous_close: decimalOrNull,
  market_value: decimalOrNull,
  ...figureEntries,
  realized_pnl: decimalOrNull,
  unrealized_pnl: decimalOrNull,
  actions: list(acting),
  pnl_valid: flag,
  pnl_reason: textOrNull,
  updated_at: textOrNull,
};

/** Key: account and ticker. Null figures are unknown, which is not zero. */
export const positionRow = object(position);
export type PositionRow = v.InferOutput<typeof positionRow>;

/** A position told apart by strategy; null for none. */
export const strategyRow = object({ ...position, strategy: textOrNull });

/** Key: account. */
export const totalRow = object({
  account: text,
  ...figureEntries,
  pnl_valid: flag,
  invalid_rows: count,
  /** By the server's clock: not later than the message that brings it. */
  calculated_at: text,
});
export type TotalRow = v.InferOutput<typeof totalRow>;

/** What of an account and ticker is to settle on days to come, and which of those were to be before. */
export const toSettle = object({
  account: text,
  ticker: text,
  currency: text,
  overdue: list(text),
  unsettled: list(object({ settlement_date: date, quantity: decimal, amount: decimal })),
});
