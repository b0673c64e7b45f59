/**
 * Checks at the edge: everything that comes over the wire passes here once, so that the rest of
 * the page can trust its types. Unknown fields are ignored: the server may add some.
 */

import type {
  Account,
  Acting,
  Boot,
  BreachNews,
  Firing,
  CloseRow,
  Doubt,
  Decimal,
  Fee,
  ImportJob,
  Instrument,
  IntradayPoint,
  Market,
  PnlRow,
  PositionRow,
  Override,
  PriceRow,
  ServerMessage,
  Side,
  SnapshotDifference,
  TotalRow,
  TradeRow,
  TradeVersion,
} from "./types";
import {
  count,
  counts,
  date,
  decimal,
  decimalOrNull,
  fail,
  type Fields,
  flag,
  list,
  object,
  optionalList,
  text,
  textOrNull,
} from "./edge";

import { figuresFrom } from "./figures";
import { type Kind, type Term, type TermName, TERMS, type TradeTerms, VERSIONED } from "./terms";

export { InvalidMessage } from "./edge";

function acting(value: unknown): Acting {
  const row = object(value, "action");
  return {
    id: text(row, "id"),
    kind: text(row, "kind"),
    keep_new: decimal(row, "keep_new"),
    keep_old: decimal(row, "keep_old"),
    cash: decimal(row, "cash"),
  };
}

export function positionRow(value: unknown): PositionRow {
  const row = object(value, "position");
  return {
    account: text(row, "account"),
    ticker: text(row, "ticker"),
    session: date(row, "session"),
    quantity: decimal(row, "quantity"),
    average_cost: decimalOrNull(row, "average_cost"),
    price: decimalOrNull(row, "price"),
    price_as_of: textOrNull(row, "price_as_of"),
    mark_source: textOrNull(row, "mark_source"),
    price_source: textOrNull(row, "price_source"),
    previous_close: decimalOrNull(row, "previous_close"),
    market_value: decimalOrNull(row, "market_value"),
    ...figuresFrom(row),
    realized_pnl: decimalOrNull(row, "realized_pnl"),
    unrealized_pnl: decimalOrNull(row, "unrealized_pnl"),
    actions: list(row["actions"], "actions", acting),
    pnl_valid: flag(row, "pnl_valid"),
    pnl_reason: textOrNull(row, "pnl_reason"),
    updated_at: textOrNull(row, "updated_at"),
  };
}

function side(row: Fields, field: string): Side {
  const value = row[field];
  return value === "buy" || value === "sell" ? value : fail(field, "buy or sell", value);
}

/** By kind, what a term is in an answer. */
const TERM_CHECKS: Record<Kind, (row: Fields, field: string) => string> = {
  text,
  side,
  amount: decimal,
  day: date,
  moment: text,
};

/** The terms that an answer holds, by name. */
export function termsOf<Name extends TermName>(
  row: Fields,
  terms: readonly Term<Name>[],
): Pick<TradeTerms, Name> {
  const found: Fields = {};
  for (const { name, kind, may_be_null } of terms)
    found[name] = may_be_null && row[name] === null ? null : TERM_CHECKS[kind](row, name);
  return found as Pick<TradeTerms, Name>;
}

function fee(value: unknown): Fee {
  const row = object(value, "fee");
  return { kind: text(row, "kind"), amount: decimal(row, "amount") };
}

export function tradeRow(value: unknown): TradeRow {
  const row = object(value, "trade");
  return {
    id: text(row, "id"),
    ...termsOf(row, TERMS),
    fees: list(row["fees"], "fees", fee),
    net_amount: decimal(row, "net_amount"),
    executed_at_known: flag(row, "executed_at_known"),
    booked_at: text(row, "booked_at"),
    booked_by: text(row, "booked_by"),
    version: count(row, "version"),
    status: text(row, "status"),
    request_group: textOrNull(row, "request_group"),
    tags: list(row["tags"], "tags", (tag) => (typeof tag === "string" ? tag : fail("tags", "text", tag))),
    trade_pnl: decimalOrNull(row, "trade_pnl"),
    pnl_valid: flag(row, "pnl_valid"),
  };
}

export function totalRow(value: unknown): TotalRow {
  const row = object(value, "total");
  return {
    account: text(row, "account"),
    ...figuresFrom(row),
    pnl_valid: flag(row, "pnl_valid"),
    invalid_rows: count(row, "invalid_rows"),
    calculated_at: text(row, "calculated_at"),
  };
}

export function priceRow(value: unknown): PriceRow {
  const row = object(value, "price");
  const age = row["age_seconds"];
  if (age !== null && typeof age !== "number") fail("age_seconds", "a number or null", age);
  return {
    ticker: text(row, "ticker"),
    price: decimalOrNull(row, "price"),
    as_of: textOrNull(row, "as_of"),
    age_seconds: age,
    stale: flag(row, "stale"),
    source: textOrNull(row, "source"),
    // False or null without one; with one it may say which.
    override: row["override"] !== false && row["override"] !== null,
    doubtful: flag(row, "doubtful"),
    previous_close: decimalOrNull(row, "previous_close"),
  };
}

export function doubt(value: unknown): Doubt {
  const row = object(value, "doubt");
  return {
    id: count(row, "id"),
    ticker: text(row, "ticker"),
    session: date(row, "session"),
    kind: text(row, "kind"),
    price: decimal(row, "price"),
    compared_with: decimal(row, "compared_with"),
    split: textOrNull(row, "split"),
    raised_at: text(row, "raised_at"),
    state: text(row, "state"),
  };
}

export function override(value: unknown): Override {
  const row = object(value, "override");
  return {
    id: count(row, "id"),
    ticker: text(row, "ticker"),
    price: decimal(row, "price"),
    reason: text(row, "reason"),
    user: text(row, "user"),
    expires_at: text(row, "expires_at"),
  };
}

export function closeRow(value: unknown): CloseRow {
  const row = object(value, "close");
  return {
    ticker: text(row, "ticker"),
    session: date(row, "session"),
    close: decimal(row, "close"),
    source: text(row, "source"),
  };
}

export function seriesPoint(value: unknown): { at: string; price: Decimal } {
  const row = object(value, "point");
  return { at: text(row, "at"), price: decimal(row, "price") };
}

export interface DayLines {
  starts_at: string;
  lines: { ticker: string; minutes: number[]; prices: Decimal[] }[];
}

export function dayLines(value: unknown): DayLines {
  const row = object(value, "lines");
  return {
    starts_at: text(row, "starts_at"),
    lines: list(row["lines"], "lines", (each) => {
      const line = object(each, "line");
      return {
        ticker: text(line, "ticker"),
        minutes: list(line["minutes"], "minutes", (minute) => count({ minute }, "minute")),
        prices: list(line["prices"], "prices", (price) => decimal({ price }, "price")),
      };
    }),
  };
}

export function market(value: unknown): Market {
  const row = object(value, "market");
  return {
    business_date: date(row, "business_date"),
    previous_session: date(row, "previous_session"),
    is_open: flag(row, "is_open"),
    opens_at: text(row, "opens_at"),
    closes_at: text(row, "closes_at"),
    next_session: date(row, "next_session"),
    next_opens_at: text(row, "next_opens_at"),
  };
}

/** By account these fields are absent, which is as good as unknown. */
function decimalIfThere(row: Fields, field: string): Decimal | null {
  return row[field] === undefined ? null : decimalOrNull(row, field);
}

export function intradayPoint(value: unknown): IntradayPoint {
  const row = object(value, "point");
  return {
    account: text(row, "account"),
    at: text(row, "at"),
    total_pnl: decimalOrNull(row, "total_pnl"),
    pnl_valid: flag(row, "pnl_valid"),
  };
}

export function pnlRow(value: unknown): PnlRow {
  const row = object(value, "pnl");
  return {
    session: date(row, "session"),
    account: text(row, "account"),
    ticker: row["ticker"] === undefined ? null : textOrNull(row, "ticker"),
    opening_quantity: decimalIfThere(row, "opening_quantity"),
    closing_quantity: decimalIfThere(row, "closing_quantity"),
    previous_close: decimalIfThere(row, "previous_close"),
    mark: decimalIfThere(row, "mark"),
    ...figuresFrom(row),
    correction_pnl: decimalOrNull(row, "correction_pnl"),
    is_final: flag(row, "is_final"),
    pnl_valid: flag(row, "pnl_valid"),
    pnl_reason: textOrNull(row, "pnl_reason"),
    invalid_rows: count(row, "invalid_rows"),
    restated_at: textOrNull(row, "restated_at"),
  };
}

export function snapshotDifference(value: unknown): SnapshotDifference {
  const row = object(value, "difference");
  return {
    session: date(row, "session"),
    account: text(row, "account"),
    ticker: text(row, "ticker"),
    snapshot_quantity: decimal(row, "snapshot_quantity"),
    quantity: decimal(row, "quantity"),
    snapshot_close: decimalOrNull(row, "snapshot_close"),
    close: decimalOrNull(row, "close"),
    pnl_effect: decimalOrNull(row, "pnl_effect"),
    changes: list(row["changes"], "changes", (each) => {
      const change = object(each, "change");
      return {
        trade: text(change, "trade"),
        version: count(change, "version"),
        status: text(change, "status"),
        actor: text(change, "actor"),
        reason: text(change, "reason"),
        recorded_at: text(change, "recorded_at"),
        quantity: decimal(change, "quantity"),
      };
    }),
  };
}

const IMPORT_STATES = ["queued", "running", "done", "failed", "undone"] as const;

export function importJob(value: unknown): ImportJob {
  const row = object(value, "import");
  const state = IMPORT_STATES.find((each) => each === row["state"]);
  const rate = row["rows_per_second"];
  return {
    id: text(row, "id"),
    state: state ?? fail("state", IMPORT_STATES.join(", "), row["state"]),
    file_name: text(row, "file_name"),
    accepted_at: text(row, "accepted_at"),
    finished_at: textOrNull(row, "finished_at"),
    rows_total: count(row, "rows_total"),
    rows_done: count(row, "rows_done"),
    rows_booked: count(row, "rows_booked"),
    rows_rejected: count(row, "rows_rejected"),
    rows_passed_over: count(row, "rows_passed_over"),
    dry_run: flag(row, "dry_run"),
    rows_per_second: typeof rate === "number" ? rate : null,
    error: text(row, "error"),
    // Left out while it runs, when they may be ten thousand.
    request_groups: optionalList(row["request_groups"], "request_groups", String),
  };
}

export function tradeVersion(value: unknown): TradeVersion {
  const row = object(value, "version");
  return {
    version: count(row, "version"),
    status: text(row, "status"),
    ...termsOf(row, VERSIONED),
    fees: list(row["fees"], "fees", (each) => ({
      ...fee(each),
      source: text(object(each, "fee"), "source"),
    })),
    executed_at_known: flag(row, "executed_at_known"),
    actor: text(row, "actor"),
    reason: text(row, "reason"),
    recorded_at: text(row, "recorded_at"),
  };
}

export function account(value: unknown): Account {
  const row = object(value, "account");
  return {
    code: text(row, "code"),
    name: text(row, "name"),
    can_short: flag(row, "can_short"),
    is_active: flag(row, "is_active"),
    can_view: flag(row, "can_view"),
    can_book: flag(row, "can_book"),
    can_correct: flag(row, "can_correct"),
  };
}

export function instrument(value: unknown): Instrument {
  const row = object(value, "instrument");
  return {
    ticker: text(row, "ticker"),
    name: text(row, "name"),
    is_active: flag(row, "is_active"),
  };
}

/**
 * One message of the websocket, from its JSON text.
 *
 * Raises InvalidMessage when it is not one; the caller then asks for a fresh snapshot.
 */
export function serverMessage(json: string): ServerMessage {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    fail("message", "JSON", json);
  }
  const message = object(parsed, "message");
  switch (message["type"]) {
    case "snapshot":
      return {
        type: "snapshot",
        seq: count(message, "seq"),
        business_date: date(message, "business_date"),
        price_source: text(message, "price_source"),
        accounts: list(message["accounts"], "accounts", (value) =>
          typeof value === "string" ? value : fail("accounts", "a code", value),
        ),
        positions: list(message["positions"], "positions", positionRow),
        trades: list(message["trades"], "trades", tradeRow),
        totals: list(message["totals"], "totals", totalRow),
        prices: list(message["prices"], "prices", priceRow),
        trades_total: counts(message["trades_total"], "trades_total"),
      };
    case "update": {
      const removed = object(message["removed"] ?? {}, "removed");
      return {
        type: "update",
        seq: count(message, "seq"),
        positions: optionalList(message["positions"], "positions", positionRow),
        trades: optionalList(message["trades"], "trades", tradeRow),
        totals: optionalList(message["totals"], "totals", totalRow),
        prices: optionalList(message["prices"], "prices", priceRow),
        trades_total: counts(message["trades_total"] ?? {}, "trades_total"),
        removed: {
          positions: optionalList(removed["positions"], "removed.positions", (value) => {
            const key = object(value, "removed.positions");
            return { account: text(key, "account"), ticker: text(key, "ticker") };
          }),
          trades: optionalList(removed["trades"], "removed.trades", (value) =>
            typeof value === "string" ? value : fail("removed.trades", "an id", value),
          ),
        },
      };
    }
    case "import":
      return { type: "import", job: importJob(message["import"]) };
    case "breach":
      return { type: "breach", breach: breachNews(message["breach"]) };
    case "alert":
      return { type: "alert", firing: firing(message["alert"]) };
    case "error":
      return { type: "error", code: text(message, "code"), detail: text(message, "detail") };
    default:
      fail("type", "snapshot, update, import, breach, alert or error", message["type"]);
  }
}

export function firing(value: unknown): Firing {
  const row = object(value, "alert");
  return {
    id: text(row, "id"),
    alert: text(row, "alert"),
    kind: text(row, "kind"),
    account: textOrNull(row, "account"),
    ticker: textOrNull(row, "ticker"),
    text: text(row, "text"),
    trade: textOrNull(row, "trade"),
    opened_at: text(row, "opened_at"),
    closed_at: textOrNull(row, "closed_at"),
    seen_at: textOrNull(row, "seen_at"),
  };
}

function breachNews(value: unknown): BreachNews {
  const row = object(value, "breach");
  return {
    id: text(row, "id"),
    of: textOrNull(row, "account") ?? textOrNull(row, "group") ?? "",
    kind: text(row, "kind"),
    state: text(row, "state"),
    used: decimal(row, "used"),
    is_open: row["closed_at"] === null,
  };
}

export function boot(value: unknown): Boot {
  const row = object(value, "boot");
  return {
    user: text(row, "user"),
    is_staff: flag(row, "is_staff"),
    may_override: flag(row, "may_override"),
    may_manage_actions: flag(row, "may_manage_actions"),
    may_manage_guards: flag(row, "may_manage_guards"),
    may_review: flag(row, "may_review"),
    may_add_instruments: flag(row, "may_add_instruments"),
  };
}
