/** Who asks, their accounts, and the exchange's clock. */

import type { InferOutput } from "valibot";

import { date, flag, object, text } from "./base";

export const account = object({
  code: text,
  name: text,
  can_short: flag,
  is_active: flag,
  can_view: flag,
  can_book: flag,
  can_correct: flag,
});
export type Account = InferOutput<typeof account>;

/** `opens_at` and `closes_at` are of the business date's session. */
export const market = object({
  business_date: date,
  previous_session: date,
  is_open: flag,
  opens_at: text,
  closes_at: text,
  next_session: date,
  next_opens_at: text,
});
export type Market = InferOutput<typeof market>;

/** What the page's template hands over about the signed-in user, and whether they may do it. */
export const boot = object({
  user: text,
  is_staff: flag,
  /** Set prices by hand. */
  may_override: flag,
  /** Propose and confirm corporate actions. */
  may_manage_actions: flag,
  may_manage_guards: flag,
  /** See and review exceptions. */
  may_review: flag,
  /** Add listed names. */
  may_add_instruments: flag,
});
export type Boot = InferOutput<typeof boot>;

/** A strategy or a counterparty; an inactive one is named by no new trade. */
export const code = object({ code: text, name: text, is_active: flag });
export type Code = InferOutput<typeof code>;
