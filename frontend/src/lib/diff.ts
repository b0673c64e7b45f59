/** What changed between one version of a trade and the next. */

import { sum } from "./money";
import type { TradeVersion } from "./types";

export const TERMS = [
  ["account", "Account"],
  ["ticker", "Ticker"],
  ["side", "Side"],
  ["quantity", "Quantity"],
  ["price", "Price"],
  ["trade_date", "Trade date"],
  ["note", "Note"],
] as const;

export type Term = (typeof TERMS)[number][0];

/** Amounts compare by value: "10" and "10.000000" are one. */
export function changedTerms(before: TradeVersion, after: TradeVersion): Set<Term> {
  return new Set(
    TERMS.map(([term]) => term).filter((term) =>
      term === "quantity" || term === "price"
        ? !sameAmount(before[term], after[term])
        : before[term] !== after[term],
    ),
  );
}

export function sameAmount(left: string, right: string): boolean {
  return !/[1-9]/.test(sum([left, `-${right}`]));
}
