/** What has settled and what has not, by what settlement dates say. Pure. */

import type { Decimal } from "./answers/base";
import * as money from "./money";

/** What of an account and ticker settles on a day to come. */
export interface Unsettled {
  /** Tells it from all others. */
  id: string;
  account: string;
  ticker: string;
  currency: string;
  settlement_date: string;
  quantity: Decimal;
  /** To be paid, fees included; received is negative. */
  amount: Decimal;
  /** A trade of it was to settle on a day that has come. */
  isOverdue: boolean;
}

export interface SettlementDay {
  day: string;
  currency: string;
  names: number;
  /** Sums of what is paid, and of what is received; both positive. */
  pay: Decimal;
  receive: Decimal;
  overdue: number;
}

/** By day and currency: two currencies are never added up. */
export function byDay(rows: readonly Unsettled[]): SettlementDay[] {
  const keyOf = (row: Unsettled): string => `${row.settlement_date} ${row.currency}`;
  return [...new Set(rows.map(keyOf))].sort().map((key) => {
    const of = rows.filter((row) => keyOf(row) === key);
    const [day = "", currency = ""] = key.split(" ");
    const amounts = of.map(({ amount }) => amount);
    return {
      day,
      currency,
      names: of.length,
      pay: money.sum(amounts.filter((amount) => money.sign(amount) > 0)),
      receive: money.minus("0", money.sum(amounts.filter((amount) => money.sign(amount) < 0))),
      overdue: of.filter(({ isOverdue }) => isOverdue).length,
    };
  });
}

export type Settling = "settled" | "unsettled" | "overdue";

/**
 * How far a trade is, on a business date: `first` is when it was to settle by its first version.
 * Null where that means nothing: it was cancelled, or the date is not known yet.
 */
export function settling(
  trade: { status: string; settlement_date: string },
  first: string | null,
  businessDate: string | null,
): Settling | null {
  if (businessDate === null || trade.status === "cancelled") return null;
  if (trade.settlement_date <= businessDate) return "settled";
  return first !== null && first <= businessDate ? "overdue" : "unsettled";
}
