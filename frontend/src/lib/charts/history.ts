/** What the chart of P&L history draws of each session. */

import type { PnlDay } from "../pnlDays";

type Figures = (number | null)[];

export interface HistorySeries {
  gain: Figures;
  loss: Figures;
  /** Of sessions whose figures may still change: drawn hollow. */
  provisionalGain: Figures;
  provisionalLoss: Figures;
  /** The tops of restated sessions. */
  restated: Figures;
}

export function historySeries(days: readonly PnlDay[]): HistorySeries {
  const of = (wanted: (day: PnlDay, total: number) => boolean): Figures =>
    days.map((day) => {
      const total = day.total_pnl === null ? null : Number(day.total_pnl);
      return total !== null && wanted(day, total) ? total : null;
    });
  return {
    gain: of((day, total) => day.is_final && total >= 0),
    loss: of((day, total) => day.is_final && total < 0),
    provisionalGain: of((day, total) => !day.is_final && total >= 0),
    provisionalLoss: of((day, total) => !day.is_final && total < 0),
    restated: of((day) => day.restated_at !== null),
  };
}
