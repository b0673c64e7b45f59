/**
 * A file as the server reads it: what a preview answers, and what a person says of a file. Pure.
 *
 * The page reads no file itself. What is shown here is what an import books, by the digest that
 * goes with it.
 */

import type { components } from "../api/schema";
import { counts, count, date, decimal, type Fields, flag, list, object, text, textOrNull } from "../edge";
import { FEES, READABLE, TERMS } from "../terms";

type Schemas = components["schemas"];

/** What is said of a file beside its bytes: the fields of an import, as the API calls them. */
export interface Said {
  profile?: string;
  /** What columns mean; null passes one over. */
  mapping?: Readonly<Record<string, string | null>>;
  timezone?: string;
  date_order?: string;
  decimal?: string;
  account?: string;
  order?: string;
}

/** What may be chosen from a few; the others are found in the file. */
export type Choice = Exclude<keyof Said, "mapping">;

export interface Remark {
  code: string;
  detail: string;
  attr: string | null;
}

export interface Ask extends Remark {
  choices: string[];
  examples: string[];
  /** What columns that are not known probably mean. */
  suggested: { column: string; field: string }[];
}

export interface Column {
  number: number;
  column: string;
  field: string | null;
}

/** What would be booked of a row. */
export interface ReadTrade {
  account: string;
  ticker: string;
  side: string;
  quantity: string;
  price: string;
  trade_date: string | null;
  executed_at: string | null;
  note: string;
}

export interface ReadRow {
  line: number;
  cells: string[];
  trade: ReadTrade | null;
  passed_over: string | null;
  errors: Remark[];
  warnings: Remark[];
}

export interface Styles {
  decimal: Record<string, string>;
  date_order: Record<string, Record<string, string>>;
  timezone: string;
  order: string;
  account: string | null;
}

export interface Counts {
  rows: number;
  trades: number;
  rejected: number;
  passed_over: Record<string, number>;
  judged: number;
}

export interface Preview {
  /** Null while something is asked: the file cannot be booked before. */
  digest: string | null;
  complete: boolean;
  size: number;
  encoding: string;
  delimiter: string;
  header_line: number;
  profile: string | null;
  mapping: Column[];
  styles: Styles;
  asks: Ask[];
  counts: Counts;
  duplicates: number;
  rows: ReadRow[];
  warnings: Remark[];
}

export interface Profile {
  name: string;
  label: string;
  timezone: string;
  tells: string;
}

type Promised<Wire extends Ours, Ours> = Wire;

/** As in `api/contract.ts`: the compiler proves that the schema promises what is read here. */
export interface PreviewContract {
  preview: Promised<Omit<Schemas["PreviewOut"], "rows" | "styles">, Omit<Preview, "rows" | "styles">>;
  profile: Promised<Schemas["ProfileOut"], Profile>;
}

function remark(value: unknown): Remark {
  const row = object(value, "remark");
  return { code: text(row, "code"), detail: text(row, "detail"), attr: textOrNull(row, "attr") };
}

function texts(row: Fields, field: string): string[] {
  return list(row[field], field, String);
}

function textsByName(value: unknown, field: string): Record<string, string> {
  const row = object(value, field);
  return Object.fromEntries(Object.keys(row).map((name) => [name, text(row, name)]));
}

function readTrade(value: unknown): ReadTrade {
  const row = object(value, "trade");
  return {
    account: text(row, "account"),
    ticker: text(row, "ticker"),
    side: text(row, "side"),
    quantity: decimal(row, "quantity"),
    price: decimal(row, "price"),
    trade_date: row["trade_date"] === null ? null : date(row, "trade_date"),
    executed_at: textOrNull(row, "executed_at"),
    note: text(row, "note"),
  };
}

function readRow(value: unknown): ReadRow {
  const row = object(value, "row");
  return {
    line: count(row, "line"),
    cells: texts(row, "cells"),
    trade: row["trade"] === null ? null : readTrade(row["trade"]),
    passed_over: textOrNull(row, "passed_over"),
    errors: list(row["errors"], "errors", remark),
    warnings: list(row["warnings"], "warnings", remark),
  };
}

function column(value: unknown): Column {
  const row = object(value, "column");
  return { number: count(row, "number"), column: text(row, "column"), field: textOrNull(row, "field") };
}

function countsOf(value: unknown): Counts {
  const row = object(value, "counts");
  return {
    rows: count(row, "rows"),
    trades: count(row, "trades"),
    rejected: count(row, "rejected"),
    passed_over: counts(row["passed_over"], "passed_over"),
    judged: count(row, "judged"),
  };
}

function styles(value: unknown): Styles {
  const row = object(value, "styles");
  const orders = object(row["date_order"], "date_order");
  return {
    decimal: textsByName(row["decimal"], "decimal"),
    date_order: Object.fromEntries(Object.keys(orders).map((of) => [of, textsByName(orders[of], of)])),
    timezone: text(row, "timezone"),
    order: text(row, "order"),
    account: textOrNull(row, "account"),
  };
}

export function preview(value: unknown): Preview {
  const row = object(value, "preview");
  return {
    digest: textOrNull(row, "digest"),
    complete: flag(row, "complete"),
    size: count(row, "size"),
    encoding: text(row, "encoding"),
    delimiter: text(row, "delimiter"),
    header_line: count(row, "header_line"),
    profile: textOrNull(row, "profile"),
    mapping: list(row["mapping"], "mapping", column),
    styles: styles(row["styles"]),
    asks: list(row["asks"], "asks", (each) => {
      const ask = object(each, "ask");
      return { ...remark(ask), choices: texts(ask, "choices"), examples: texts(ask, "examples"), suggested: list(ask["suggested"], "suggested", suggestion) };
    }),
    counts: countsOf(row["counts"]),
    duplicates: count(row, "duplicates"),
    rows: list(row["rows"], "rows", readRow),
    warnings: list(row["warnings"], "warnings", remark),
  };
}

function suggestion(value: unknown): Ask["suggested"][number] {
  const row = object(value, "suggestion");
  return { column: text(row, "column"), field: text(row, "field") };
}

export function profile(value: unknown): Profile {
  const row = object(value, "profile");
  return {
    name: text(row, "name"),
    label: text(row, "label"),
    timezone: text(row, "timezone"),
    tells: text(row, "tells"),
  };
}

const CHOICES: readonly Choice[] = ["profile", "timezone", "date_order", "decimal", "account", "order"];

/** A way to read files that was saved under a name. */
export interface SavedMapping {
  name: string;
  said: Said;
}

export function savedMapping(value: unknown): SavedMapping {
  const row = object(value, "mapping");
  const said: Said = {};
  for (const of of CHOICES) if (typeof row[of] === "string") said[of] = row[of];
  if (row["mapping"] !== null) {
    const columns = object(row["mapping"], "mapping");
    said.mapping = Object.fromEntries(Object.keys(columns).map((name) => [name, textOrNull(columns, name)]));
  }
  return { name: text(row, "name"), said };
}

/** The fields of the form that says it. */
export function formFields({ mapping, ...choices }: Said): Record<string, string> {
  return { ...choices, ...(mapping !== undefined && { mapping: JSON.stringify(mapping) }) };
}

/** What a mapping calls a column: its name, or its number where the name tells it from no other. */
export function keyOf(of: Column, columns: readonly Column[]): string {
  const plain = (name: string): string => name.replaceAll(/[\s_]+/g, " ").trim().toLowerCase();
  const name = plain(of.column);
  const isOwn = columns.filter((each) => plain(each.column) === name).length === 1;
  return name !== "" && isOwn && !/^[#*]/.test(name) ? of.column : `#${of.number}`;
}

/** What is said of columns once `of` means `field`: no two of them mean the same. */
export function mapped(of: Column, field: string | null, columns: readonly Column[]): Record<string, string | null> {
  const others = columns.filter((each) => field !== null && each.field === field && each.number !== of.number);
  return Object.fromEntries([
    ...others.map((each) => [keyOf(each, columns), null] as const),
    [keyOf(of, columns), field] as const,
  ]);
}

/** All that is known of how a file is read, to be saved for files of its kind. */
export function toSave(said: Said, seen: Preview): Said {
  const columns = seen.mapping.map((of) => [keyOf(of, seen.mapping), of.field] as const);
  const orders = Object.values(seen.styles.date_order).flatMap((by) => Object.values(by));
  const signs = [...new Set(Object.values(seen.styles.decimal))];
  const [order] = orders;
  const [sign] = signs;
  return {
    ...(new Set(orders).size === 1 && order !== undefined && { date_order: order }),
    ...(signs.length === 1 && sign === "," && { decimal: sign }),
    ...(seen.styles.timezone !== "America/New_York" && { timezone: seen.styles.timezone }),
    ...said,
    mapping: Object.fromEntries(columns),
  };
}

const LABELS = new Map<string, string>(READABLE.map(({ name, label }) => [name, label]));

/** What a column may mean, the terms of a trade first. */
export const MEANINGS: readonly { name: string; label: string; isTerm: boolean }[] = READABLE.map(
  ({ name, label }) => ({ name, label, isTerm: [...TERMS, ...FEES.kinds].some((term) => term.name === name) }),
);

export function meaning(field: string): string {
  return LABELS.get(field) ?? field.replaceAll("_", " ");
}

const DELIMITERS: Record<string, string> = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };
const ENCODINGS: Record<string, string> = {
  "utf-8": "UTF-8",
  "utf-8-bom": "UTF-8",
  "utf-16-le": "UTF-16",
  "utf-16-be": "UTF-16",
  "windows-1252": "Windows-1252",
};

/** How the table is written, in words. */
export function writtenAs(seen: Preview): string {
  const between = DELIMITERS[seen.delimiter] ?? `“${seen.delimiter}”`;
  return `${ENCODINGS[seen.encoding] ?? seen.encoding}, ${between} between cells, header in line ${seen.header_line}`;
}

export const WORDS: Record<"decimal" | "date_order" | "order", Record<string, string>> = {
  decimal: { ".": "Point: 1,250.50", ",": "Comma: 1.250,50" },
  date_order: { mdy: "Month first: 11/24/2026", dmy: "Day first: 24/11/2026", ymd: "Year first: 26/11/24" },
  order: { oldest_first: "Oldest first", newest_first: "Newest first" },
};

/** The words of an answer to a question. */
export function choiceWords(attr: string | null, choice: string): string {
  return attr !== null && attr in WORDS ? (WORDS[attr as keyof typeof WORDS][choice] ?? choice) : choice;
}

/** A row's place among the kinds that are shown apart. */
export function stateOf(row: ReadRow): "book" | "refused" | "passed" | "unread" {
  if (row.errors.length > 0) return "refused";
  if (row.passed_over !== null) return "passed";
  return row.trade === null ? "unread" : "book";
}

/** Tickers that rows were refused for because nobody knows them. */
export function unknownTickers(seen: Preview | null): string[] {
  const at = seen?.mapping.findIndex(({ field }) => field === "ticker") ?? -1;
  const found = (seen?.rows ?? []).filter(({ errors }) => errors.some(({ code }) => code === "unknown_ticker"));
  return [...new Set(found.map(({ cells }) => (cells[at] ?? "").trim().toUpperCase()))].filter(Boolean);
}
