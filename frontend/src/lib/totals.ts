/** Totals over several accounts, exactly. */

import { sum } from "./money";
import type { Decimal, TotalRow } from "./types";

export interface Total {
  trade_pnl: Decimal | null;
  position_pnl: Decimal | null;
  action_pnl: Decimal | null;
  total_pnl: Decimal | null;
  /** False: some rows are missing from the sums or uncertain, so screens say "partial". */
  pnl_valid: boolean;
  invalid_rows: number;
}

/** The sum of what is known; null where there are rows but none has the figure. */
export function overall(rows: readonly TotalRow[]): Total {
  const added = (figures: (Decimal | null)[]): Decimal | null => {
    const known = figures.filter((figure) => figure !== null);
    return known.length === 0 && figures.length > 0 ? null : sum(known);
  };
  return {
    trade_pnl: added(rows.map((row) => row.trade_pnl)),
    position_pnl: added(rows.map((row) => row.position_pnl)),
    action_pnl: added(rows.map((row) => row.action_pnl)),
    total_pnl: added(rows.map((row) => row.total_pnl)),
    pnl_valid: rows.every((row) => row.pnl_valid),
    invalid_rows: rows.reduce((running, row) => running + row.invalid_rows, 0),
  };
}
