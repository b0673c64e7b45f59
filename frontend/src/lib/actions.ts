/** Corporate actions as the API answers, and as people say them. */

import { count, date, decimal, decimalOrNull, list, object, text, textOrNull, type Fields } from "./edge";
import type { Decimal } from "./types";

export interface ActionLeg {
  ticker: string;
  new: Decimal;
  old: Decimal;
  cost_share: Decimal;
}

export interface Decided {
  decision: string;
  actor: string;
  reason: string;
  recorded_at: string;
}

export interface ActionTerms {
  kind: string;
  ex_date: string;
  keep_new: Decimal;
  keep_old: Decimal;
  cash: Decimal;
}

export interface ActionVersion extends ActionTerms {
  version: number;
  sequence: number;
  fractions: string;
  cost_to_cash: Decimal;
  legs: ActionLeg[];
  pay_date: string | null;
  actor: string;
  reason: string;
  recorded_at: string;
  decisions: Decided[];
}

export interface CorporateAction extends ActionVersion {
  id: string;
  ticker: string;
  /** proposed, confirmed or cancelled. */
  status: string;
  /** The version that counts; null where nothing does. */
  confirmed_version: number | null;
}

export interface Suggestion extends ActionTerms {
  ticker: string;
  source: string;
}

export interface SessionEffect {
  session: string;
  total_pnl: Decimal | null;
  total_without: Decimal | null;
}

/** What an action does in one account and ticker. */
export interface ActionEffect {
  account: string;
  ticker: string;
  held: Decimal;
  credited: Decimal;
  fraction: Decimal;
  cash: Decimal;
  cost: Decimal;
  pnl: SessionEffect[];
}

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

function terms(row: Fields): ActionTerms {
  return {
    kind: text(row, "kind"),
    ex_date: date(row, "ex_date"),
    keep_new: decimal(row, "keep_new"),
    keep_old: decimal(row, "keep_old"),
    cash: decimal(row, "cash"),
  };
}

export function actionVersion(value: unknown): ActionVersion {
  const row = object(value, "version");
  return {
    ...terms(row),
    version: count(row, "version"),
    sequence: count(row, "sequence"),
    fractions: text(row, "fractions"),
    cost_to_cash: decimal(row, "cost_to_cash"),
    legs: list(row["legs"], "legs", (each) => {
      const leg = object(each, "leg");
      return {
        ticker: text(leg, "ticker"),
        new: decimal(leg, "new"),
        old: decimal(leg, "old"),
        cost_share: decimal(leg, "cost_share"),
      };
    }),
    pay_date: textOrNull(row, "pay_date"),
    actor: text(row, "actor"),
    reason: text(row, "reason"),
    recorded_at: text(row, "recorded_at"),
    decisions: list(row["decisions"], "decisions", (each) => {
      const decided = object(each, "decision");
      return {
        decision: text(decided, "decision"),
        actor: text(decided, "actor"),
        reason: text(decided, "reason"),
        recorded_at: text(decided, "recorded_at"),
      };
    }),
  };
}

export function corporateAction(value: unknown): CorporateAction {
  const row = object(value, "action");
  return {
    ...actionVersion(value),
    id: text(row, "id"),
    ticker: text(row, "ticker"),
    status: text(row, "status"),
    confirmed_version: row["confirmed_version"] === null ? null : count(row, "confirmed_version"),
  };
}

export function suggestion(value: unknown): Suggestion {
  const row = object(value, "suggestion");
  return { ...terms(row), ticker: text(row, "ticker"), source: text(row, "source") };
}

export function actionEffect(value: unknown): ActionEffect {
  const row = object(value, "effect");
  return {
    account: text(row, "account"),
    ticker: text(row, "ticker"),
    held: decimal(row, "held"),
    credited: decimal(row, "credited"),
    fraction: decimal(row, "fraction"),
    cash: decimal(row, "cash"),
    cost: decimal(row, "cost"),
    pnl: list(row["pnl"], "pnl", (each) => {
      const session = object(each, "session");
      return {
        session: date(session, "session"),
        total_pnl: decimalOrNull(session, "total_pnl"),
        total_without: decimalOrNull(session, "total_without"),
      };
    }),
  };
}
