/** Guards, limits, and what was made of them, as the API answers. */

import { count, flag, list, object, text, textOrNull } from "./edge";

export interface Found {
  code: string;
  detail: string;
}

export interface AskedVersion {
  id: string;
  trade: string;
  version: number;
  account: string;
  ticker: string;
  side: string;
  quantity: string;
  price: string;
  asked: Found[];
  /** Null where nobody was asked, as in an import. */
  confirmed_by: string | null;
  recorded_at: string;
}

export interface Guard {
  /** Null means all accounts. */
  account: string | null;
  code: string;
  warn: string | null;
  refuse: string | null;
  minutes: number | null;
  is_active: boolean;
}

export interface Breach {
  id: string;
  of: string;
  kind: string;
  state: string;
  value: string;
  amount: string;
  used: string;
  opened_at: string;
}

export const CODES = [
  "off_mark",
  "large_quantity",
  "large_notional",
  "of_position",
  "probable_duplicate",
  "late",
  "flips",
  "stale_mark",
  "no_mark",
] as const;

export type Code = (typeof CODES)[number];

export function askedVersion(value: unknown): AskedVersion {
  const row = object(value, "asked");
  return {
    id: text(row, "id"),
    trade: text(row, "trade"),
    version: count(row, "version"),
    account: text(row, "account"),
    ticker: text(row, "ticker"),
    side: text(row, "side"),
    quantity: text(row, "quantity"),
    price: text(row, "price"),
    asked: list(row["asked"], "asked", (each) => {
      const found = object(each, "asked");
      return { code: text(found, "code"), detail: text(found, "detail") };
    }),
    confirmed_by: textOrNull(row, "confirmed_by"),
    recorded_at: text(row, "recorded_at"),
  };
}

export function guard(value: unknown): Guard {
  const row = object(value, "guard");
  return {
    account: textOrNull(row, "account"),
    code: text(row, "code"),
    warn: textOrNull(row, "warn"),
    refuse: textOrNull(row, "refuse"),
    minutes: row["minutes"] === null ? null : count(row, "minutes"),
    is_active: flag(row, "is_active"),
  };
}

export function breach(value: unknown): Breach {
  const row = object(value, "breach");
  return {
    id: text(row, "id"),
    of: textOrNull(row, "account") ?? textOrNull(row, "group") ?? "",
    kind: text(row, "kind"),
    state: text(row, "state"),
    value: text(row, "value"),
    amount: text(row, "amount"),
    used: text(row, "used"),
    opened_at: text(row, "opened_at"),
  };
}
