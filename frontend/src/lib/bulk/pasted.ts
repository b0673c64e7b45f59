/** Cells that were copied from a spreadsheet: which go where. Pure. */

import { type CellName, FEES, PRICE_ZERO, TERMS } from "../terms";

/** Words that people have over a column, beside our names and labels. */
const HEADINGS: Readonly<Record<string, CellName>> = {
  symbol: "ticker", instrument: "ticker", stock: "ticker",
  acct: "account", book: "account", portfolio: "account",
  "b/s": "side", "buy/sell": "side", "buy or sell": "side", action: "side",
  qty: "quantity", shares: "quantity", amount: "quantity",
  px: "price", rate: "price",
  date: "trade_date", "trade date": "trade_date", traded: "trade_date",
  comment: "note", notes: "note", remark: "note",
  settles: "settlement_date", settlement: "settlement_date", "settle date": "settlement_date",
  broker: "counterparty", cpty: "counterparty", order: "order_id",
  wertpapier: "ticker", papier: "ticker", konto: "account", depot: "account", richtung: "side",
  "kauf/verkauf": "side", stück: "quantity", anzahl: "quantity", menge: "quantity", kurs: "price",
  datum: "trade_date", bemerkung: "note", valuta: "settlement_date",
  provision: "commission", courtage: "commission", gebühr: "commission", gebuehr: "commission", gebühren: "commission",
  steuer: "tax", steuern: "tax", spesen: "other",
  comm: "commission", commissions: "commission", brokerage: "commission",
  "regulatory fee": "regulatory", "regulatory fees": "regulatory", "sec fee": "regulatory", taf: "regulatory",
  "exchange fee": "exchange", "exchange fees": "exchange", "clearing fee": "clearing", "clearing fees": "clearing",
  taxes: "tax", "stamp duty": "tax", fee: "other", fees: "other", "other fee": "other", "other fees": "other",
};

export interface Pasted {
  /** By column; null where a heading means nothing here. */
  columns: (CellName | null)[];
  lines: string[][];
}

function named(heading: string): CellName | null {
  const said = heading.trim().toLowerCase().replaceAll("_", " ");
  // A column called exchange names one, as a rule.
  const kinds = FEES.kinds.filter(({ name }) => name !== "exchange");
  const term = [...TERMS, PRICE_ZERO, ...kinds].find(
    ({ name, label }) => name.replaceAll("_", " ") === said || label.toLowerCase() === said,
  );
  return term?.name ?? HEADINGS[said] ?? null;
}

/**
 * Text with tabs between cells. A first line of which two headings at least are known, and none is a
 * number, names the columns; else they are those of `from` on.
 */
export function pastedOf(text: string, from: readonly CellName[]): Pasted {
  const lines = text
    .replace(/\r\n?/g, "\n")
    .replace(/\n+$/, "")
    .split("\n")
    .map((line) => line.split("\t"));
  const heading = (lines[0] ?? []).map(named);
  const known = heading.filter((name) => name !== null).length;
  const isHeading = known >= 2 && !(lines[0] ?? []).some((cell) => /^\s*[\d$]/.test(cell));
  return isHeading
    ? { columns: heading, lines: lines.slice(1) }
    : { columns: [...from], lines };
}
