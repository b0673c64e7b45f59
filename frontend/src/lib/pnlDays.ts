/** P&L rows by account and session, added up to one row a session. */

import type { Decimal } from "./answers/base";
import type { PnlRow } from "./answers/pnl";
import { added, type Figures, figuresOver } from "./figures";
import { sum } from "./money";

export interface PnlDay extends Figures {
  session: string;
  correction_pnl: Decimal | null;
  /** Σ of total P&L from the first session shown to this one; what is unknown is left out. */
  cumulative: Decimal;
  accounts: number;
  is_final: boolean;
  pnl_valid: boolean;
  invalid_rows: number;
  restated_at: string | null;
}

/** Oldest first. */
export function byDay(rows: readonly PnlRow[]): PnlDay[] {
  const sessions = new Map<string, PnlRow[]>();
  for (const row of rows) {
    const found = sessions.get(row.session);
    if (found === undefined) sessions.set(row.session, [row]);
    else found.push(row);
  }
  let cumulative: Decimal = "0";
  return [...sessions.keys()].sort().map((session) => {
    const of = sessions.get(session) ?? [];
    const figures = figuresOver(of);
    cumulative = sum([cumulative, figures.total_pnl ?? "0"]);
    return {
      session,
      ...figures,
      correction_pnl: added(of.map((row) => row.correction_pnl)),
      cumulative,
      accounts: new Set(of.map((row) => row.account)).size,
      is_final: of.every((row) => row.is_final),
      pnl_valid: of.every((row) => row.pnl_valid),
      invalid_rows: of.reduce((running, row) => running + row.invalid_rows, 0),
      restated_at: of.reduce<string | null>(
        (latest, row) => (row.restated_at !== null && (latest === null || row.restated_at > latest) ? row.restated_at : latest),
        null,
      ),
    };
  });
}

/** The rows with those of one session replaced by `fresh`, which stand where the old ones stood. */
export function withSession(
  rows: readonly PnlRow[],
  session: string,
  fresh: readonly PnlRow[],
): PnlRow[] {
  const others = rows.filter((row) => row.session !== session);
  const first = rows.findIndex((row) => row.session === session);
  const place = first < 0 ? others.length : first;
  return [...others.slice(0, place), ...fresh, ...others.slice(place)];
}
