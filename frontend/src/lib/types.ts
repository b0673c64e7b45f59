/**
 * What the server sends, as far as this page uses it.
 *
 * A `Decimal` is a string in plain notation and stays one: a JavaScript number cannot hold every
 * price or sum exactly. Times are ISO 8601 with an offset, dates `YYYY-MM-DD`.
 */

import type { Figures } from "./figures";
import type { TradeTerms, VersionTerms } from "./terms";

export type Decimal = string;

export type Side = "buy" | "sell";

export interface Account {
  code: string;
  name: string;
  can_short: boolean;
  is_active: boolean;
  can_view: boolean;
  can_book: boolean;
  can_correct: boolean;
}

export interface Instrument {
  ticker: string;
  name: string;
  is_active: boolean;
}

/** A corporate action that acts on a row's session. */
export interface Acting {
  id: string;
  kind: string;
  keep_new: Decimal;
  keep_old: Decimal;
  cash: Decimal;
}

/** Key: account and ticker. Null figures are unknown, which is not zero. */
export interface PositionRow extends Figures {
  account: string;
  ticker: string;
  session: string;
  quantity: Decimal;
  average_cost: Decimal | null;
  price: Decimal | null;
  price_as_of: string | null;
  mark_source: string | null;
  price_source: string | null;
  previous_close: Decimal | null;
  market_value: Decimal | null;
  realized_pnl: Decimal | null;
  unrealized_pnl: Decimal | null;
  actions: readonly Acting[];
  pnl_valid: boolean;
  pnl_reason: string | null;
  updated_at: string | null;
}

/** What was paid beside the price, in US dollars; a rebate is negative. */
export interface Fee {
  kind: string;
  amount: Decimal;
}

/** Key: id. */
export interface TradeRow extends TradeTerms {
  id: string;
  fees: readonly Fee[];
  /** Notional and fees, as cash paid: a sale's is negative. */
  net_amount: Decimal;
  /** Where it is false only the day is known, and `executed_at` is when it was booked. */
  executed_at_known: boolean;
  booked_at: string;
  booked_by: string;
  version: number;
  status: string;
  request_group: string | null;
  /** Beside the terms: no version has them. */
  tags: readonly string[];
  trade_pnl: Decimal | null;
  pnl_valid: boolean;
}

/** Key: account. */
export interface TotalRow extends Figures {
  account: string;
  pnl_valid: boolean;
  invalid_rows: number;
  /** By the server's clock: not later than the message that brings it. */
  calculated_at: string;
}

/** Key: ticker. */
export interface PriceRow {
  ticker: string;
  price: Decimal | null;
  as_of: string | null;
  age_seconds: number | null;
  stale: boolean;
  source: string | null;
  override: boolean;
  /** A newer price, or a close, is held back until somebody decides. */
  doubtful: boolean;
  previous_close: Decimal | null;
}

/** A price that was not plausible. `compared_with` is what it is far from, by `kind`. */
export interface Doubt {
  id: number;
  ticker: string;
  session: string;
  kind: string;
  price: Decimal;
  compared_with: Decimal;
  /** The split that would explain it, as "10:1". */
  split: string | null;
  raised_at: string;
  state: string;
}

/** A price by hand, which counts until it expires or is ended. */
export interface Override {
  id: number;
  ticker: string;
  price: Decimal;
  reason: string;
  user: string;
  expires_at: string;
}

/** The exchange's clock; `opens_at` and `closes_at` are of the business date's session. */
export interface Market {
  business_date: string;
  previous_session: string;
  is_open: boolean;
  opens_at: string;
  closes_at: string;
  next_session: string;
  next_opens_at: string;
}

/** One immutable state of a trade: its terms then, who made it so, when and why. */
export interface TradeVersion extends VersionTerms {
  version: number;
  /** `source`: a person entered it, a schedule computed it, or a file brought it. */
  fees: readonly (Fee & { source: string })[];
  executed_at_known: boolean;
  status: string;
  actor: string;
  reason: string;
  recorded_at: string;
}

export interface Rows {
  positions: PositionRow[];
  trades: TradeRow[];
  totals: TotalRow[];
  prices: PriceRow[];
}

/** How many trades of the day an account has; the rows are the newest of all watched accounts. */
export type TradesTotal = Record<string, number>;

export interface SnapshotMessage extends Rows {
  type: "snapshot";
  seq: number;
  business_date: string;
  price_source: string;
  /** What it is of: it may answer an earlier subscription than the last. */
  accounts: string[];
  trades_total: TradesTotal;
}

export interface UpdateMessage extends Rows {
  type: "update";
  seq: number;
  /** Of the accounts where it changed. */
  trades_total: TradesTotal;
  /** Gone before the rows of the same message came. */
  removed: { positions: { account: string; ticker: string }[]; trades: string[] };
}

export interface ErrorMessage {
  type: "error";
  code: string;
  detail: string;
}

/** How far an import of this user is; outside of the numbering. */
export interface ImportMessage {
  type: "import";
  job: ImportJob;
}

/** A limit of accounts that are watched was warned of or exceeded, or is no more. */
export interface BreachNews {
  id: string;
  /** The account or the group of accounts. */
  of: string;
  kind: string;
  state: string;
  /** In percent of the limit. */
  used: Decimal;
  is_open: boolean;
}

/** Outside of the numbering, as an import. */
export interface BreachMessage {
  type: "breach";
  breach: BreachNews;
}

/** An alert of the user fired; `seen_at` says that they have seen it, here or elsewhere. */
export interface Firing {
  id: string;
  alert: string;
  kind: string;
  account: string | null;
  ticker: string | null;
  /** What happened, in a line. */
  text: string;
  trade: string | null;
  opened_at: string;
  closed_at: string | null;
  seen_at: string | null;
}

/** Outside of the numbering, as an import. */
export interface AlertMessage {
  type: "alert";
  firing: Firing;
}

export type ServerMessage =
  | SnapshotMessage
  | UpdateMessage
  | ImportMessage
  | BreachMessage
  | AlertMessage
  | ErrorMessage;

/** What the page's template hands over about the signed-in user. */
export interface Boot {
  user: string;
  is_staff: boolean;
  /** Whether this user may set prices by hand. */
  may_override: boolean;
  /** Whether this user may propose and confirm corporate actions. */
  may_manage_actions: boolean;
  may_manage_guards: boolean;
  /** Whether this user sees and reviews exceptions. */
  may_review: boolean;
  /** Whether this user may add listed names. */
  may_add_instruments: boolean;
}

/** One point of an account's day; null where it could not be computed. */
export interface IntradayPoint {
  account: string;
  at: string;
  total_pnl: Decimal | null;
  pnl_valid: boolean;
}

/** P&L of a session by account, or by account and ticker: then with `ticker`, else null. */
export interface PnlRow extends Figures {
  session: string;
  account: string;
  ticker: string | null;
  opening_quantity: Decimal | null;
  closing_quantity: Decimal | null;
  previous_close: Decimal | null;
  mark: Decimal | null;
  correction_pnl: Decimal | null;
  is_final: boolean;
  pnl_valid: boolean;
  pnl_reason: string | null;
  invalid_rows: number;
  restated_at: string | null;
}

/** A key whose snapshot, taken at a session's end, is not what is known of that session now. */
export interface SnapshotDifference {
  session: string;
  account: string;
  ticker: string;
  snapshot_quantity: Decimal;
  quantity: Decimal;
  snapshot_close: Decimal | null;
  close: Decimal | null;
  pnl_effect: Decimal | null;
  changes: SnapshotChange[];
}

/** A version recorded after the session's end that is part of the difference. */
export interface SnapshotChange {
  trade: string;
  version: number;
  status: string;
  actor: string;
  reason: string;
  recorded_at: string;
  quantity: Decimal;
}

/** A CSV file that workers book. */
export interface ImportJob {
  id: string;
  state: "queued" | "running" | "done" | "failed" | "undone";
  file_name: string;
  accepted_at: string;
  finished_at: string | null;
  rows_total: number;
  rows_done: number;
  rows_booked: number;
  rows_rejected: number;
  rows_passed_over: number;
  dry_run: boolean;
  rows_per_second: number | null;
  error: string;
  request_groups: string[];
}

export interface CloseRow {
  ticker: string;
  session: string;
  close: Decimal;
  source: string;
}
