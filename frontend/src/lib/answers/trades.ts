/** Trades, their versions, and what booking them answers. */

import * as v from "valibot";

import { type Kind, REQUIRED, type Term, type TermName, TERMS, type TradeTerms, VERSIONED } from "../terms";
import { count, date, decimal, decimalOrNull, flag, list, object, side, text, textOrNull } from "./base";

/** By kind, what a term is in an answer. */
const TERM: Record<Kind, v.GenericSchema<unknown, string>> = {
  text,
  side,
  amount: decimal,
  day: date,
  moment: text,
};

type TermEntries<Name extends TermName> = { [Each in Name]: v.GenericSchema<unknown, TradeTerms[Each]> };

/** The terms that an answer holds. */
function termEntries<Name extends TermName>(terms: readonly Term<Name>[]): TermEntries<Name> {
  const entries = terms.map(({ name, kind, may_be_null }) => [
    name,
    may_be_null ? v.nullable(TERM[kind]) : TERM[kind],
  ]);
  return Object.fromEntries(entries) as TermEntries<Name>;
}

/** What was paid beside the price, in US dollars; a rebate is negative. */
export const fee = object({ kind: text, amount: decimal });
export type Fee = v.InferOutput<typeof fee>;

/** `source`: a person entered it, a schedule computed it, or a file brought it. */
export const sourcedFee = object({ ...fee.entries, source: text });

/** Key: id. */
export const tradeRow = object({
  id: text,
  ...termEntries(TERMS),
  fees: list(fee),
  /** Notional and fees, as cash paid: a sale's is negative. */
  net_amount: decimal,
  /** Where it is false only the day is known, and `executed_at` is when it was booked. */
  executed_at_known: flag,
  booked_at: text,
  booked_by: text,
  version: count,
  status: text,
  request_group: textOrNull,
  /** Beside the terms: no version has them. */
  tags: list(text),
  trade_pnl: decimalOrNull,
  pnl_valid: flag,
});
export type TradeRow = v.InferOutput<typeof tradeRow>;

/** One immutable state of a trade: its terms then, who made it so, when and why. */
export const tradeVersion = object({
  version: count,
  status: text,
  ...termEntries(VERSIONED),
  fees: list(sourcedFee),
  executed_at_known: flag,
  actor: text,
  reason: text,
  recorded_at: text,
});
export type TradeVersion = v.InferOutput<typeof tradeVersion>;

export const tradeId = object({ id: text });

/** What booking many at once answers: their ids, in the order of the rows. */
export const bookedGroup = object({ request_group: text, ids: list(text) });
export type Group = v.InferOutput<typeof bookedGroup>;

/** Rows that the server made up, of the terms that a booking needs. */
export const madeUp = object({ trades: list(object(termEntries(REQUIRED))) });
