/**
 * One row of a bulk booking: from a line of a CSV file, or generated. Pure, and used in a worker.
 *
 * The checks here are those that need no server, so that a file's mistakes are seen before anything
 * is sent. The server checks everything again.
 */

import type { Side } from "../types";
import { newYorkMoment } from "./newYork";

export interface BulkRow {
  /** The line in the file, or the place among the generated; unique on the page. */
  n: number;
  account: string;
  ticker: string;
  side: string;
  quantity: string;
  price: string;
  trade_date: string;
  executed_at: string;
  client_trade_id: string;
  note: string;
  /** What is wrong with it, as a sentence; empty when nothing was found. */
  problem: string;
  /** What became of it; unknown when it was sent, and the answer was lost. */
  outcome: "" | "booked" | "rejected" | "undone" | "unknown";
  trade_id: string;
  request_group: string;
}

/** A row as `trades/bulk/` takes it: what is empty is left out. */
export interface BulkTrade {
  account: string;
  ticker: string;
  side: Side;
  quantity: string;
  price: string;
  trade_date?: string;
  executed_at?: string;
  client_trade_id?: string;
  note?: string;
}

export const COLUMNS = [
  "ticker",
  "account",
  "side",
  "quantity",
  "price",
  "trade_date",
  "executed_at",
  "client_trade_id",
  "note",
] as const;
export type Column = (typeof COLUMNS)[number];
const REQUIRED: readonly Column[] = ["ticker", "account", "side", "quantity", "price"];

/** Names of other systems' files that mean ours. */
const ALIASES: Record<string, Column | "ignored"> = {
  "buy or sell": "side",
  buy_or_sell: "side",
  shares: "quantity",
  booked_at: "executed_at",
  "booked at": "executed_at",
  id: "client_trade_id",
  request_group: "ignored",
  "request group": "ignored",
  rejected_line: "ignored",
  "rejected line": "ignored",
  rejected_because: "ignored",
  "rejected because": "ignored",
};

/** What precedes the columns in a file of rejected rows; an import passes over them, too. */
export const REJECTED_COLUMNS = ["rejected_line", "rejected_because"] as const;

/** Whether it is such a file. Those of this page are to be opened in a spreadsheet: see lib/csv. */
export function isOfRejected(cells: readonly string[]): boolean {
  return cells.some((cell) => ALIASES_OF_REASON.has(cell.trim().toLowerCase()));
}
const ALIASES_OF_REASON = new Set(["rejected_because", "rejected because"]);

/** The file as a whole can't be read; `message` says what to do. */
export class BadFile extends Error {
  override name = "BadFile";
}

/** Which column of the file each of ours is in. Raises BadFile. */
export function readHeader(cells: readonly string[]): Map<Column, number> {
  const found = new Map<Column, number>();
  const unknown: string[] = [];
  cells.forEach((cell, index) => {
    const name = cell.replace(/^\uFEFF/, "").trim().toLowerCase();
    const column = COLUMNS.find((each) => each === name.replaceAll(" ", "_")) ?? ALIASES[name];
    if (column === "ignored") return;
    if (column === undefined) unknown.push(cell.trim() || `number ${index + 1}`);
    else if (found.has(column)) throw new BadFile(`The column ${column} is there twice.`);
    else found.set(column, index);
  });
  const missing = REQUIRED.filter((column) => !found.has(column));
  if (missing.length > 0)
    throw new BadFile(
      `The first line must name the columns; missing: ${missing.join(", ")}. ` +
        `Needed are ${REQUIRED.join(", ")}, in any order.`,
    );
  if (unknown.length > 0)
    throw new BadFile(
      `The file has columns that are not known: ${unknown.join(", ")}. Known are ${COLUMNS.join(", ")}.`,
    );
  return found;
}

export interface Known {
  /** Accounts that the user may book in. */
  accounts: ReadonlySet<string>;
  /** Accounts that the user may view. */
  viewable: ReadonlySet<string>;
  tickers: ReadonlySet<string>;
  businessDate: string;
}

export function blankRow(n: number): BulkRow {
  return {
    n,
    account: "",
    ticker: "",
    side: "",
    quantity: "",
    price: "",
    trade_date: "",
    executed_at: "",
    client_trade_id: "",
    note: "",
    problem: "",
    outcome: "",
    trade_id: "",
    request_group: "",
  };
}

/** `read` makes of a cell what it means. */
export function rowOf(
  cells: readonly string[],
  header: ReadonlyMap<Column, number>,
  n: number,
  read: (cell: string) => string = (cell) => cell,
): BulkRow {
  const row = blankRow(n);
  for (const [column, index] of header) row[column] = read(cells[index] ?? "").trim();
  row.ticker = row.ticker.toUpperCase();
  row.side = row.side.toLowerCase();
  return row;
}

/** What is wrong with a row, as sentences; empty when it can be sent. */
export function problemOf(row: BulkRow, known: Known): string {
  const found: string[] = [];
  if (row.account === "") found.push("No account.");
  else if (!known.viewable.has(row.account)) found.push(`There is no account ${row.account}.`);
  else if (!known.accounts.has(row.account)) found.push(`You may not book in ${row.account}.`);
  if (row.ticker === "") found.push("No ticker.");
  else if (!known.tickers.has(row.ticker)) found.push(`There is no instrument ${row.ticker}.`);
  if (row.side !== "buy" && row.side !== "sell") found.push("The side must be buy or sell.");
  amount("quantity", row.quantity, found);
  amount("price", row.price, found);
  if (row.trade_date !== "") {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(row.trade_date))
      found.push("The trade date must look like 2026-01-30.");
    else if (row.trade_date > known.businessDate) found.push("The trade date is in the future.");
  }
  if (row.executed_at !== "" && newYorkMoment(row.executed_at) === null)
    found.push("The execution time must look like 2026-01-30 15:04:05.");
  if (row.client_trade_id.length > 64) found.push("The client id is longer than 64 characters.");
  if (row.note.length > 200) found.push("The note is longer than 200 characters.");
  return found.join(" ");
}

const PLAIN = /^(\d+)(?:\.(\d+))?$/;

function amount(name: string, typed: string, found: string[]): void {
  const parts = PLAIN.exec(typed);
  if (parts === null) {
    if (typed === "") found.push(`No ${name}.`);
    else if (/^\d{1,3}(,\d{3})+(\.\d+)?$/.test(typed))
      found.push(`The ${name} must be without thousands separators.`);
    else found.push(`The ${name} must be a plain number above zero, like 100 or 12.5.`);
    return;
  }
  const [, whole = "", fraction = ""] = parts;
  if (!/[1-9]/.test(whole + fraction)) found.push(`The ${name} must be above zero.`);
  else if (fraction.length > 6) found.push(`The ${name} has more than 6 decimals.`);
  else if (Number(typed) > 1e9) found.push(`The ${name} is above 1,000,000,000.`);
}

export function toTrade(row: BulkRow): BulkTrade {
  const moment = row.executed_at === "" ? null : newYorkMoment(row.executed_at);
  return {
    account: row.account,
    ticker: row.ticker,
    side: row.side as Side,
    quantity: row.quantity,
    price: row.price,
    ...(row.trade_date !== "" && { trade_date: row.trade_date }),
    ...(moment !== null && { executed_at: moment }),
    ...(row.client_trade_id !== "" && { client_trade_id: row.client_trade_id }),
    ...(row.note !== "" && { note: row.note }),
  };
}
