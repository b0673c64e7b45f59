/** P&L rows by account and session, added up to one row a session. */

import { sum } from "./money";
import type { Decimal, PnlRow } from "./types";

export interface PnlDay {
  session: string;
  trade_pnl: Decimal | null;
  position_pnl: Decimal | null;
  action_pnl: Decimal | null;
  total_pnl: Decimal | null;
  correction_pnl: Decimal | null;
  /** Σ of total P&L from the first session shown to this one; what is unknown is left out. */
  cumulative: Decimal;
  accounts: number;
  is_final: boolean;
  pnl_valid: boolean;
  invalid_rows: number;
  restated_at: string | null;
}

const FIGURES = ["trade_pnl", "position_pnl", "action_pnl", "total_pnl", "correction_pnl"] as const;

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
    const [trade_pnl, position_pnl, action_pnl, total_pnl, correction_pnl] = FIGURES.map((figure) =>
      added(of.map((row) => row[figure])),
    ) as [Decimal | null, Decimal | null, Decimal | null, Decimal | null, Decimal | null];
    cumulative = sum([cumulative, total_pnl ?? "0"]);
    return {
      session,
      trade_pnl,
      position_pnl,
      action_pnl,
      total_pnl,
      correction_pnl,
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

function added(figures: readonly (Decimal | null)[]): Decimal | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 && figures.length > 0 ? null : sum(known);
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
