/** What a user may be alerted of. */

import type { Alert } from "./answers/alerts";
import * as money from "./money";

export type Kind = "account_pnl" | "price" | "position" | "stale" | "others_trades";
export type Way = "above" | "below";

/** What an alert of a kind is called, what it is of, and what its level is in. */
export const KINDS: Record<
  Kind,
  { name: string; of: "account" | "ticker" | "both" | "either"; level: string | null; hasWay: boolean }
> = {
  account_pnl: { name: "P&L of an account", of: "account", level: "Amount", hasWay: true },
  price: { name: "Price", of: "ticker", level: "Price", hasWay: true },
  position: { name: "Position", of: "both", level: "Quantity", hasWay: true },
  stale: { name: "Stale price", of: "either", level: "Minutes", hasWay: false },
  others_trades: { name: "Trades of others", of: "account", level: null, hasWay: false },
};

export const STATES: Record<string, string> = {
  armed: "armed",
  holds: "holds now",
  off: "off",
  silent: "silent: you may not view the account",
};

/** What an alert waits for, in words: "below −10,000". */
export function condition({ kind, way, level }: Pick<Alert, "kind" | "way" | "level">): string {
  if (kind === "others_trades") return "booked, amended or cancelled";
  const amount = level === null ? "" : money.quantity(level);
  return kind === "stale" ? `older than ${amount} minutes` : `${way ?? ""} ${amount}`;
}

/** A level as people type it; what it is not is left as it is, for the server to say. */
export function typedLevel(typed: string): string | null {
  const text = typed.trim().replace(/^[−–]/, "-");
  if (text === "") return null;
  const isNegative = text.startsWith("-");
  const plain = money.parseTyped(isNegative ? text.slice(1) : text);
  return plain === null ? text : `${isNegative ? "-" : ""}${plain}`;
}
