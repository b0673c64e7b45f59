/** Guards, limits, and what was made of them, as the API answers. */

import { count, flag, list, object, text, textOrNull, type Fields } from "./edge";

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

export interface Limit {
  id: number;
  of: string;
  kind: string;
  amount: string;
  alert_at: string;
  mode: string;
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

/** What a guard measures, and in what. `unit` is empty where nothing is counted. */
export interface Measure {
  name: string;
  unit: string;
}

export const MEASURES = {
  off_mark: { name: "Off the mark", unit: "%" },
  large_quantity: { name: "Large quantity", unit: "shares" },
  large_notional: { name: "Large notional", unit: "$" },
  of_position: { name: "Against the position", unit: "× what is held" },
  probable_duplicate: { name: "Probable duplicate", unit: "the same before" },
  late: { name: "Late", unit: "sessions" },
  flips: { name: "Position flips", unit: "" },
  stale_mark: { name: "Stale mark", unit: "" },
  no_mark: { name: "No mark", unit: "" },
} as const satisfies Record<string, Measure>;

export type Code = keyof typeof MEASURES;

export const CODES = Object.keys(MEASURES) as Code[];

/** The measure of a code; one that this page does not know is called what it is. */
export function measure(code: string): Measure {
  return code in MEASURES ? MEASURES[code as Code] : { name: code, unit: "" };
}

/** Limits' kinds as people say them. */
const KINDS: Record<string, string> = {
  gross: "Gross",
  net: "Net",
  long: "Long",
  short: "Short",
  name: "Largest name",
  name_share: "Largest name, % of gross",
  position: "Largest position, shares",
  day_notional: "Notional of the day",
  day_loss: "Loss of the day",
};

export const kind = (code: string): string => KINDS[code] ?? code;

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

export function limit(value: unknown): Limit {
  const row = object(value, "limit");
  return {
    id: count(row, "id"),
    of: owner(row),
    kind: text(row, "kind"),
    amount: text(row, "amount"),
    alert_at: text(row, "alert_at"),
    mode: text(row, "mode"),
    is_active: flag(row, "is_active"),
  };
}

/** The account or the group of accounts that a limit is of. */
function owner(row: Fields): string {
  return textOrNull(row, "account") ?? textOrNull(row, "group") ?? "";
}

export function breach(value: unknown): Breach {
  const row = object(value, "breach");
  return {
    id: text(row, "id"),
    of: owner(row),
    kind: text(row, "kind"),
    state: text(row, "state"),
    value: text(row, "value"),
    amount: text(row, "amount"),
    used: text(row, "used"),
    opened_at: text(row, "opened_at"),
  };
}
