/**
 * One row of a bulk booking: from a line of a CSV file, or generated. Pure, and used in a worker.
 *
 * The checks here are those that need no server, so that a file's mistakes are seen before anything
 * is sent. The server checks everything again.
 */

import {
  AMOUNT,
  IGNORED_COLUMNS,
  isTooLong,
  type Kind,
  type NewTrade,
  NOTHING_SAID,
  PRICE_ZERO,
  REJECTED_COLUMNS,
  REQUIRED,
  type SaidName,
  type Term,
  type TermName,
  TERMS,
} from "../terms";
import { isZero } from "../money";
import { newYorkMoment } from "./newYork";

/** What is said as its cell holds it; empty when it is not. */
export interface BulkRow extends Record<SaidName, string> {
  /** The line in the file, or the place among the generated; unique on the page. */
  n: number;
  /** What is wrong with it, as a sentence; empty when nothing was found. */
  problem: string;
  /** What became of it; unknown when it was sent, and the answer was lost. */
  outcome: "" | "booked" | "rejected" | "undone" | "unknown";
  trade_id: string;
  request_group: string;
}

/** In the order of a file that this page writes: that of the files that people have. */
export const COLUMNS: readonly SaidName[] = [
  "ticker",
  ...TERMS.map(({ name }) => name).filter((name) => name !== "ticker"),
  PRICE_ZERO.name,
];
export const NEEDED = COLUMNS.filter((name) => REQUIRED.some((term) => term.name === name));
export const OPTIONAL = COLUMNS.filter((name) => !NEEDED.includes(name));

/** Case, blanks (a byte-order mark is one) and underscores do not matter in a column's name. */
function plain(name: string): string {
  return name.replaceAll(/[\s_]+/g, " ").trim().toLowerCase();
}

const KNOWN = new Map<string, SaidName>(
  [...TERMS, PRICE_ZERO].flatMap(({ name, aliases }) => [name, ...aliases].map((each) => [plain(each), name] as const)),
);
const IGNORED = new Set(IGNORED_COLUMNS.map(plain));
const OF_REJECTED = new Set(REJECTED_COLUMNS.map(plain));

/** Whether it is a file of rejected rows. Those of this page are to be opened in a spreadsheet: see lib/csv. */
export function isOfRejected(cells: readonly string[]): boolean {
  return cells.some((cell) => OF_REJECTED.has(plain(cell)));
}

/** The file as a whole can't be read; `message` says what to do. */
export class BadFile extends Error {
  override name = "BadFile";
}

/** Which column of the file each of ours is in. Raises BadFile. */
export function readHeader(cells: readonly string[]): Map<SaidName, number> {
  const found = new Map<SaidName, number>();
  const unknown: string[] = [];
  cells.forEach((cell, index) => {
    const name = plain(cell);
    const column = KNOWN.get(name);
    if (IGNORED.has(name)) return;
    if (column === undefined) unknown.push(cell.trim() || `number ${index + 1}`);
    else if (found.has(column)) throw new BadFile(`The column ${column} is there twice.`);
    else found.set(column, index);
  });
  const missing = NEEDED.filter((column) => !found.has(column));
  if (missing.length > 0)
    throw new BadFile(
      `The first line must name the columns; missing: ${missing.join(", ")}. ` +
        `Needed are ${NEEDED.join(", ")}, in any order.`,
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
  return { n, ...NOTHING_SAID, problem: "", outcome: "", trade_id: "", request_group: "" };
}

/** `read` makes of a cell what it means. */
export function rowOf(
  cells: readonly string[],
  header: ReadonlyMap<SaidName, number>,
  n: number,
  read: (cell: string) => string = (cell) => cell,
): BulkRow {
  const row = blankRow(n);
  for (const [column, index] of header) row[column] = read(cells[index] ?? "").trim();
  row.ticker = row.ticker.toUpperCase();
  row.side = row.side.toLowerCase();
  return row;
}

/**
 * What is wrong with a row's cells as such, in the server's words: with a number written `1,250`
 * every later cell would stand under the wrong name, also where the last of them is empty.
 */
export function cellsProblem(cells: readonly string[], wanted: number): string | null {
  if (cells.length > wanted)
    return (
      `This row has ${cells.length} cells, the header ${wanted}. ` +
      "Is a number written with thousands separators? Write 1000 for 1,000."
    );
  return cells.length < wanted ? `This row has only ${cells.length} cells, the header ${wanted}.` : null;
}

/** What is wrong with a row, as sentences; empty when it can be sent. */
export function problemOf(row: BulkRow, known: Known): string {
  let found = "";
  const add = (problem: string | null): void => {
    if (problem !== null) found += found === "" ? problem : ` ${problem}`;
  };
  for (const each of SAID) add(problemWith(each, row[each.term.name], known));
  if (row.price_zero !== "" || isZero(row.price)) add(zeroProblem(row));
  return found;
}

const YES = ["true", "yes", "y", "1"];
const NO = ["", "false", "no", "n", "0"];

function flagOf(cell: string): boolean | null {
  const plain = cell.toLowerCase();
  return YES.includes(plain) ? true : NO.includes(plain) ? false : null;
}

function zeroProblem(row: BulkRow): string | null {
  const meant = flagOf(row.price_zero);
  if (meant === null) return "price_zero must be true or false.";
  if (!isZero(row.price)) return meant ? "price_zero says that the price is 0." : null;
  return meant && row.note !== "" ? null : "The price is 0: say so in price_zero, and why in the note.";
}

function problemWith({ term, noun }: (typeof SAID)[number], cell: string, known: Known): string | null {
  if (cell === "") return term.required ? `No ${noun}.` : null;
  return BY_KIND[term.kind](noun, cell, term) ?? BY_NAME[term.name]?.(cell, known) ?? null;
}

/** What a sentence calls a term whose label is no noun. */
const NOUNS: Partial<Record<TermName, string>> = { executed_at: "execution time" };
const SAID = TERMS.map((term) => ({ term, noun: NOUNS[term.name] ?? term.label.toLowerCase() }));

type Check = (noun: string, cell: string, term: Term) => string | null;

const BY_KIND: Record<Kind, Check> = {
  text: (noun, cell, term) =>
    isTooLong(term, cell) ? `The ${noun} is longer than ${term.longest} characters.` : null,
  side: (noun, cell) =>
    cell === "buy" || cell === "sell" ? null : `The ${noun} must be buy or sell.`,
  amount,
  day: (noun, cell) =>
    /^\d{4}-\d{2}-\d{2}$/.test(cell) ? null : `The ${noun} must look like 2026-01-30.`,
  moment: (noun, cell) =>
    newYorkMoment(cell) === null ? `The ${noun} must look like 2026-01-30 15:04:05.` : null,
};

/** What the page can tell of a value besides its form. */
const BY_NAME: Partial<Record<TermName, (cell: string, known: Known) => string | null>> = {
  account: (code, { accounts, viewable }) => {
    if (!viewable.has(code)) return `There is no account ${code}.`;
    return accounts.has(code) ? null : `You may not book in ${code}.`;
  },
  ticker: (ticker, { tickers }) => (tickers.has(ticker) ? null : `There is no instrument ${ticker}.`),
  trade_date: (day, { businessDate }) =>
    day > businessDate ? "The trade date is in the future." : null,
};

const PLAIN = /^(\d+)(?:\.(\d+))?$/;

function amount(noun: string, typed: string, term: Term): string | null {
  const parts = PLAIN.exec(typed);
  if (parts === null)
    return /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(typed)
      ? `The ${noun} must be without thousands separators.`
      : `The ${noun} must be a plain number above zero, like 100 or 12.5.`;
  const [, whole = "", fraction = ""] = parts;
  if (!/[1-9]/.test(whole + fraction))
    return term.may_be_zero ? null : `The ${noun} must be above zero.`;
  if (fraction.length > AMOUNT.decimals)
    return `The ${noun} has more than ${AMOUNT.decimals} decimals.`;
  if (Number(typed) > Number(AMOUNT.most))
    return `The ${noun} is above ${Number(AMOUNT.most).toLocaleString("en-GB")}.`;
  return null;
}

/** A row as `trades/bulk/` takes it: what is empty is left out. */
export function toTrade(row: BulkRow): NewTrade {
  const said = TERMS.filter(({ name, required }) => required || row[name] !== "");
  const terms = said.map(({ name, kind }) => [
    name,
    kind === "moment" ? newYorkMoment(row[name]) : row[name],
  ]);
  const meant = flagOf(row.price_zero) === true && { price_zero: true };
  return { ...(Object.fromEntries(terms) as NewTrade), ...meant };
}
