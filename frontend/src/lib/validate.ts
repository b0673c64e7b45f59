/**
 * Checks at the edge: everything that comes over the wire passes here once, so that the rest of
 * the page can trust its types. Unknown fields are ignored: the server may add some.
 */

import type {
  Account,
  Boot,
  Decimal,
  Instrument,
  PositionRow,
  PriceRow,
  ServerMessage,
  TotalRow,
  TradeRow,
} from "./types";

/** The server sent something else than the contract says; `message` names the field. */
export class InvalidMessage extends Error {
  override name = "InvalidMessage";
}

type Fields = Record<string, unknown>;

const DECIMAL = /^-?\d+(\.\d+)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

function fail(field: string, wanted: string, value: unknown): never {
  const got = value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value);
  throw new InvalidMessage(`${field}: expected ${wanted}, got ${got.slice(0, 60)}`);
}

function object(value: unknown, field: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    fail(field, "an object", value);
  return value as Fields;
}

function list<T>(value: unknown, field: string, item: (value: unknown) => T): T[] {
  if (!Array.isArray(value)) fail(field, "a list", value);
  return value.map(item);
}

/** An update holds only what changed, so a list may be absent. */
function optionalList<T>(value: unknown, field: string, item: (value: unknown) => T): T[] {
  return value === undefined ? [] : list(value, field, item);
}

function text(row: Fields, field: string): string {
  const value = row[field];
  return typeof value === "string" ? value : fail(field, "text", value);
}

function textOrNull(row: Fields, field: string): string | null {
  return row[field] === null ? null : text(row, field);
}

function flag(row: Fields, field: string): boolean {
  const value = row[field];
  return typeof value === "boolean" ? value : fail(field, "true or false", value);
}

function count(row: Fields, field: string): number {
  const value = row[field];
  return Number.isSafeInteger(value) ? (value as number) : fail(field, "a whole number", value);
}

function decimal(row: Fields, field: string): Decimal {
  const value = row[field];
  return typeof value === "string" && DECIMAL.test(value)
    ? value
    : fail(field, "a decimal as a string", value);
}

function decimalOrNull(row: Fields, field: string): Decimal | null {
  return row[field] === null ? null : decimal(row, field);
}

function date(row: Fields, field: string): string {
  const value = row[field];
  return typeof value === "string" && DATE.test(value) ? value : fail(field, "a date", value);
}

export function positionRow(value: unknown): PositionRow {
  const row = object(value, "position");
  return {
    account: text(row, "account"),
    ticker: text(row, "ticker"),
    quantity: decimal(row, "quantity"),
    price: decimalOrNull(row, "price"),
    price_as_of: textOrNull(row, "price_as_of"),
    mark_source: textOrNull(row, "mark_source"),
    price_source: textOrNull(row, "price_source"),
    previous_close: decimalOrNull(row, "previous_close"),
    market_value: decimalOrNull(row, "market_value"),
    trade_pnl: decimalOrNull(row, "trade_pnl"),
    position_pnl: decimalOrNull(row, "position_pnl"),
    total_pnl: decimalOrNull(row, "total_pnl"),
    pnl_valid: flag(row, "pnl_valid"),
    pnl_reason: textOrNull(row, "pnl_reason"),
    updated_at: textOrNull(row, "updated_at"),
  };
}

export function tradeRow(value: unknown): TradeRow {
  const row = object(value, "trade");
  const side = row["side"];
  if (side !== "buy" && side !== "sell") fail("side", "buy or sell", side);
  return {
    id: text(row, "id"),
    account: text(row, "account"),
    ticker: text(row, "ticker"),
    side,
    quantity: decimal(row, "quantity"),
    price: decimal(row, "price"),
    trade_date: date(row, "trade_date"),
    executed_at: textOrNull(row, "executed_at"),
    booked_at: text(row, "booked_at"),
    booked_by: text(row, "booked_by"),
    version: count(row, "version"),
    status: text(row, "status"),
    trade_pnl: decimalOrNull(row, "trade_pnl"),
    pnl_valid: flag(row, "pnl_valid"),
  };
}

export function totalRow(value: unknown): TotalRow {
  const row = object(value, "total");
  return {
    account: text(row, "account"),
    trade_pnl: decimalOrNull(row, "trade_pnl"),
    position_pnl: decimalOrNull(row, "position_pnl"),
    total_pnl: decimalOrNull(row, "total_pnl"),
    pnl_valid: flag(row, "pnl_valid"),
    invalid_rows: count(row, "invalid_rows"),
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
        positions: list(message["positions"], "positions", positionRow),
        trades: list(message["trades"], "trades", tradeRow),
        totals: list(message["totals"], "totals", totalRow),
        prices: list(message["prices"], "prices", priceRow),
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
    case "error":
      return { type: "error", code: text(message, "code"), detail: text(message, "detail") };
    default:
      fail("type", "snapshot, update or error", message["type"]);
  }
}

export function boot(value: unknown): Boot {
  const row = object(value, "boot");
  return { user: text(row, "user"), is_staff: flag(row, "is_staff") };
}
