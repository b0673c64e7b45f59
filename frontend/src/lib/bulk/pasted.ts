/** Cells that were copied from a spreadsheet: which go where. Pure. */

import { PRICE_ZERO, type SaidName, TERMS } from "../terms";

/** Words that people have over a column, beside our names and labels. */
const HEADINGS: Readonly<Record<string, SaidName>> = {
  symbol: "ticker", instrument: "ticker", stock: "ticker",
  acct: "account", book: "account", portfolio: "account",
  "b/s": "side", "buy/sell": "side", "buy or sell": "side", action: "side",
  qty: "quantity", shares: "quantity", amount: "quantity",
  px: "price", rate: "price",
  date: "trade_date", "trade date": "trade_date", traded: "trade_date",
  comment: "note", notes: "note", remark: "note",
};

export interface Pasted {
  /** By column; null where a heading means nothing here. */
  columns: (SaidName | null)[];
  lines: string[][];
}

function named(heading: string): SaidName | null {
  const said = heading.trim().toLowerCase().replaceAll("_", " ");
  const term = [...TERMS, PRICE_ZERO].find(
    ({ name, label }) => name.replaceAll("_", " ") === said || label.toLowerCase() === said,
  );
  return term?.name ?? HEADINGS[said] ?? null;
}

/**
 * Text with tabs between cells. A first line of which two headings at least are known, and none is a
 * number, names the columns; else they are those of `from` on.
 */
export function pastedOf(text: string, from: readonly SaidName[]): Pasted {
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
