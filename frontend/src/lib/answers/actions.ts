/** Corporate actions, suggestions of them, and what they do. */

import * as v from "valibot";

import { count, date, decimal, decimalOrNull, list, object, text, textOrNull } from "./base";

const leg = object({ ticker: text, new: decimal, old: decimal, cost_share: decimal });
export type ActionLeg = v.InferOutput<typeof leg>;

const decided = object({ decision: text, actor: text, reason: text, recorded_at: text });

const terms = object({ kind: text, ex_date: date, keep_new: decimal, keep_old: decimal, cash: decimal });
export type ActionTerms = v.InferOutput<typeof terms>;

export const actionVersion = object({
  ...terms.entries,
  version: count,
  sequence: count,
  fractions: text,
  cost_to_cash: decimal,
  legs: list(leg),
  pay_date: textOrNull,
  actor: text,
  reason: text,
  recorded_at: text,
  decisions: list(decided),
});
export type ActionVersion = v.InferOutput<typeof actionVersion>;

export const corporateAction = object({
  ...actionVersion.entries,
  id: text,
  ticker: text,
  /** proposed, confirmed or cancelled. */
  status: text,
  /** The version that counts; null where nothing does. */
  confirmed_version: v.nullable(count),
});
export type CorporateAction = v.InferOutput<typeof corporateAction>;

export const suggestion = object({ ...terms.entries, ticker: text, source: text });
export type Suggestion = v.InferOutput<typeof suggestion>;

/** What an action does in one account and ticker. */
export const actionEffect = object({
  account: text,
  ticker: text,
  held: decimal,
  credited: decimal,
  fraction: decimal,
  cash: decimal,
  cost: decimal,
  pnl: list(object({ session: date, total_pnl: decimalOrNull, total_without: decimalOrNull })),
});
export type ActionEffect = v.InferOutput<typeof actionEffect>;
