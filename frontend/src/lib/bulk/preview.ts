/**
 * A file as the server reads it: what a preview answers, and what a person says of a file. Pure.
 *
 * The page reads no file itself. What is shown here is what an import books, by the digest that
 * goes with it.
 */

import type { Column, Preview, ReadRow, Said } from "../answers/preview";
import { FEES, READABLE, TERMS } from "../terms";

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
