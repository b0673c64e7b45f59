/** The figures of a day's P&L, as every row has them: of a position, of an account, of a session. */

import { decimalOrNull, type Fields } from "./edge";
import { sum } from "./money";
import type { Decimal } from "./types";

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

export function figuresFrom(row: Fields): Figures {
  return figures((name) => decimalOrNull(row, name));
}

/** Each of them added up over rows. */
export function figuresOver(rows: readonly Figures[]): Figures {
  return figures((name) => added(rows.map((row) => row[name])));
}

export const NO_FIGURES: Figures = figures(() => "0");

function figures(of: (name: keyof Figures) => Decimal | null): Figures {
  return Object.fromEntries(FIGURES.map((name) => [name, of(name)])) as Figures;
}

/** The sum of what is known; null where there are values but none is known. */
export function added(values: readonly (Decimal | null)[]): Decimal | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 && values.length > 0 ? null : sum(known);
}
