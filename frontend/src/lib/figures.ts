/** The figures of a day's P&L, as every row has them: of a position, of an account, of a session. */

import { type Decimal, decimalOrNull } from "./answers/base";
import { sum } from "./money";

/** `total_pnl` is before fees, `net_pnl` after them. */
export const FIGURES = [
  "trade_pnl",
  "position_pnl",
  "action_pnl",
  "total_pnl",
  "fees",
  "net_pnl",
] as const;

/** Null is unknown, which is not zero. */
export type Figures = Record<(typeof FIGURES)[number], Decimal | null>;

/** What they are in an answer. */
export const figureEntries = each(() => decimalOrNull);

/** Each of them added up over rows. */
export function figuresOver(rows: readonly Figures[]): Figures {
  return each((name) => added(rows.map((row) => row[name])));
}

export const NO_FIGURES: Figures = each(() => "0");

function each<Value>(of: (name: keyof Figures) => Value): Record<keyof Figures, Value> {
  return Object.fromEntries(FIGURES.map((name) => [name, of(name)])) as Record<keyof Figures, Value>;
}

/** The sum of what is known; null where there are values but none is known. */
export function added(values: readonly (Decimal | null)[]): Decimal | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 && values.length > 0 ? null : sum(known);
}
