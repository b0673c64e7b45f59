/** Positions of a moment beside those of now. */

import type { Decimal } from "./answers/base";
import type { PositionRow } from "./answers/positions";
import { NO_FIGURES } from "./figures";
import { positionKey } from "./live/connection";
import * as money from "./money";

export interface AsOfRow extends PositionRow {
  /** Of now; null where nothing is compared. */
  quantity_now: Decimal | null;
  quantity_change: Decimal | null;
  total_pnl_now: Decimal | null;
  total_pnl_change: Decimal | null;
  differs: boolean;
}

const minus = (now: Decimal | null, then: Decimal | null): Decimal | null =>
  now === null || then === null ? null : money.minus(now, then);

function compared(then: PositionRow, now: PositionRow): Omit<AsOfRow, keyof PositionRow> {
  const quantity = minus(now.quantity, then.quantity);
  const total = minus(now.total_pnl, then.total_pnl);
  return {
    quantity_now: now.quantity,
    quantity_change: quantity,
    total_pnl_now: now.total_pnl,
    total_pnl_change: total,
    differs: [quantity, total].some((each) => each !== null && money.sign(each) !== 0),
  };
}

const ALONE = {
  quantity_now: null,
  quantity_change: null,
  total_pnl_now: null,
  total_pnl_change: null,
  differs: false,
} as const;

/** A position that there was not, or is no more: nothing held, and nothing made. */
function nothing(of: PositionRow): PositionRow {
  return { ...of, ...NO_FIGURES, quantity: "0", market_value: "0" };
}

/** `now` null: nothing is compared. Positions of either side are there. */
export function asOfRows(then: readonly PositionRow[], now: readonly PositionRow[] | null): AsOfRow[] {
  if (now === null) return then.map((row) => ({ ...row, ...ALONE }));
  const [before, after] = [then, now].map((rows) => new Map(rows.map((row) => [positionKey(row), row])));
  const keys = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
  return [...keys].flatMap((key) => {
    const [was, is] = [before?.get(key), after?.get(key)];
    const row = was ?? (is === undefined ? undefined : nothing(is));
    if (row === undefined) return [];
    return [{ ...row, ...compared(row, is ?? nothing(row)) }];
  });
}
