/** Totals over several accounts, exactly. */

import type { TotalRow } from "./answers/positions";
import { type Figures, figuresOver } from "./figures";

export interface Total extends Figures {
  /** False: some rows are missing from the sums or uncertain, so screens say "partial". */
  pnl_valid: boolean;
  invalid_rows: number;
}

/** The sum of what is known; null where there are rows but none has the figure. */
export function overall(rows: readonly TotalRow[]): Total {
  return {
    ...figuresOver(rows),
    pnl_valid: rows.every((row) => row.pnl_valid),
    invalid_rows: rows.reduce((running, row) => running + row.invalid_rows, 0),
  };
}
