/** A price and how it moved since the previous close. */

import type { Decimal } from "./answers/base";
import type { PriceRow } from "./answers/prices";
import { minus } from "./money";
import { changeOf } from "./sparks/spark";

export interface QuoteRow extends PriceRow {
  name: string;
  /** price − previous close; null when either is unknown. */
  change: Decimal | null;
  /** The change in percent of the previous close, signed, to 2 decimals: "+1.25%". */
  change_percent: string | null;
  /** Local time (ms) at which the price was taken, from its age: immune to clock skew. */
  taken_at: number | null;
}

export function quoteRow(row: PriceRow, name: string, now: number): QuoteRow {
  const change =
    row.price === null || row.previous_close === null ? null : minus(row.price, row.previous_close);
  return {
    ...row,
    name,
    change,
    change_percent: changeOf(row.price, row.previous_close),
    taken_at: row.age_seconds === null ? null : now - row.age_seconds * 1000,
  };
}

/** "+1.25%" as 1.25, for sorting and filtering. */
export function percentNumber(shown: string | null): number | null {
  return shown === null ? null : Number(shown.replace("−", "-").replaceAll(/[+%,]/g, ""));
}
