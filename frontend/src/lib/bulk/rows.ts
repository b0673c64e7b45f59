/**
 * One row of a bulk booking, as it was generated. Files are read by the server alone. Pure.
 *
 * The checks here are those that need no server; it checks everything again.
 */

import type { KnownCodes } from "../codes.svelte";
import { feeComplaint, noFees, saidFees } from "../fees";
import {
  AMOUNT,
  type CellName,
  FEES,
  type FeeKind,
  isTooLong,
  type Kind,
  type NewTrade,
  NOTHING_SAID,
  PRICE_ZERO,
  REQUIRED,
  type Term,
  type TermName,
  TERMS,
  type WithFees,
} from "../terms";
import { isZero, minus, sign } from "../money";
import { newYorkMoment } from "./newYork";

export type Wrong = Partial<Record<CellName, string>>;

/** What is said as its cell holds it; empty when it is not. */
export interface BulkRow extends Record<CellName, string> {
  /** The place among the generated; unique on the page. */
  n: number;
  /** What is wrong with it, as a sentence; empty when nothing was found. */
  problem: string;
  /** What became of it; unknown when it was sent, and the answer was lost. */
  outcome: "" | "booked" | "rejected" | "undone" | "unknown";
  trade_id: string;
  request_group: string;
  /** What the server asks about it before it is booked. */
  asked?: string;
  /** What is wrong, by cell. */
  wrong?: Wrong;
  /** What a person typed where the cell holds another text. */
  typed?: Partial<Record<CellName, string | undefined>>;
}

/** In the order of a file that this page writes: that of the files that people have. */
export const COLUMNS: readonly CellName[] = [
  "ticker",
  ...TERMS.map(({ name }) => name).filter((name) => name !== "ticker"),
  PRICE_ZERO.name,
  ...FEES.kinds.map(({ name }) => name),
];
/** Each cell of a row in which nothing is said. */
export const NO_CELLS: Readonly<Record<CellName, string>> = { ...NOTHING_SAID, ...noFees() };
export const NEEDED = COLUMNS.filter((name) => REQUIRED.some((term) => term.name === name));

export interface Known {
  /** Accounts that the user may book in. */
  accounts: ReadonlySet<string>;
  /** Accounts that the user may view. */
  viewable: ReadonlySet<string>;
  tickers: ReadonlySet<string>;
  businessDate: string;
  /** Strategies and counterparties. */
  codes?: KnownCodes;
}

export function blankRow(n: number): BulkRow {
  return { n, ...NO_CELLS, problem: "", outcome: "", trade_id: "", request_group: "" };
}

/** What is wrong with a row, as sentences; empty when it can be sent. */
export function problemOf(row: BulkRow, known: Known): string {
  return Object.values(wrongIn(row, known)).join(" ");
}

/** The same by cell, in the order of the terms. */
export function wrongIn(row: BulkRow, known: Known): Wrong {
  const found: Wrong = {};
  for (const each of SAID) {
    const problem = problemWith(each, row[each.term.name], known);
    if (problem !== null) found[each.term.name] = problem;
  }
  for (const { name, label } of FEES.kinds) {
    const problem = feeComplaint(row[name]);
    if (problem !== null) found[name] = `The ${feeNoun(name, label)} must be ${problem}.`;
  }
  const zero = row.price_zero !== "" || isZero(row.price) ? zeroProblem(row) : null;
  if (zero !== null) found[PRICE_ZERO.name] = zero;
  return found;
}

const feeNoun = (name: FeeKind, label: string): string =>
  name === "tax" || name === "commission" ? name : `${label.toLowerCase()} fee`;

/** Each of them once. */
export function distinct(rows: readonly BulkRow[]): BulkRow[] {
  return [...new Set(rows)];
}

/** A row in which nothing is said yet but whose account. */
export function isEmpty(row: BulkRow): boolean {
  return COLUMNS.every((name) => name === "account" || row[name] === "");
}

/** What a row is, in one word; whatever is counted, named, coloured or filtered follows from it. */
export const ROW_STATES = ["empty", "invalid", "check", "ready", "unknown", "booked", "rejected", "undone"] as const;
export type RowState = (typeof ROW_STATES)[number];

/** Invalid is what the page finds wrong and nothing sends; rejected is what the server refused. */
export function stateOf(row: BulkRow): RowState {
  if (row.outcome !== "") return row.outcome;
  if (isEmpty(row)) return "empty";
  if (row.problem !== "") return "invalid";
  return row.asked ? "check" : "ready";
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
  strategy: (code, { codes }) => codeProblem("strategy", code, codes?.strategy ?? null),
  counterparty: (code, { codes }) => codeProblem("counterparty", code, codes?.counterparty ?? null),
  trade_date: (day, { businessDate }) =>
    day > businessDate ? "The trade date is in the future." : null,
};

function codeProblem(noun: string, code: string, known: ReadonlyMap<string, boolean> | null): string | null {
  if (known === null || known.get(code) === true) return null;
  return known.has(code) ? `The ${noun} ${code} can be named by no new trade.` : `There is no ${noun} ${code}.`;
}

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
  // Exactly: as a JavaScript number 1000000000.0000000001 would be no more than the most.
  if (sign(minus(typed, AMOUNT.most)) > 0)
    return `The ${noun} is above ${Number(AMOUNT.most).toLocaleString("en-GB")}.`;
  return null;
}

/** A row as `trades/bulk/` takes it: what is empty is left out. */
export function toTrade(row: BulkRow): NewTrade & WithFees {
  const said = TERMS.filter(({ name, required }) => required || row[name] !== "");
  const terms = said.map(({ name, kind }) => [
    name,
    kind === "moment" ? newYorkMoment(row[name]) : row[name],
  ]);
  const meant = flagOf(row.price_zero) === true && { price_zero: true };
  const fees = saidFees(row);
  return { ...(Object.fromEntries(terms) as NewTrade), ...meant, ...(fees.length > 0 && { fees }) };
}
