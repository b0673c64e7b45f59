/** Corporate actions as people say them. */

import type { ActionLeg, ActionTerms } from "./answers/actions";

export const KINDS = {
  split: "Split",
  reverse_split: "Reverse split",
  stock_dividend: "Stock dividend",
  cash_dividend: "Cash dividend",
  return_of_capital: "Return of capital",
  spin_off: "Spin-off",
  merger: "Merger",
  liquidation: "Liquidation",
  worthless: "Worthless",
} as const;

export type ActionKind = keyof typeof KINDS;

export const kindName = (kind: string): string =>
  kind in KINDS ? KINDS[kind as ActionKind] : kind.replaceAll("_", " ");

/** "Split 10:1", "Cash dividend 1.67 a share", "Merger 4 HPE for 5, 12.5 a share". */
export function said(terms: ActionTerms, legs: readonly ActionLeg[] = []): string {
  const parts: string[] = [];
  if (terms.keep_new !== terms.keep_old && terms.keep_new !== "0")
    parts.push(`${terms.keep_new}:${terms.keep_old}`);
  parts.push(...legs.map((leg) => `${leg.new} ${leg.ticker} for ${leg.old}`));
  if (terms.cash !== "0") parts.push(`${terms.cash} a share`);
  return `${kindName(terms.kind)} ${parts.join(", ")}`.trim();
}

/** Where an ex-date stands beside the business date. */
export type Due = "Today" | "Next seven days" | "Later" | "Before";

export function due(exDate: string, today: string): Due {
  if (exDate === today) return "Today";
  if (exDate < today) return "Before";
  const days = (Date.parse(exDate) - Date.parse(today)) / 86_400_000;
  return days <= 7 ? "Next seven days" : "Later";
}
