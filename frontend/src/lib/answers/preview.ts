/** How the server reads a file of trades. */

import * as v from "valibot";

import { count, counts, date, decimal, flag, list, object, text, textOrNull } from "./base";

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

const remark = object({ code: text, detail: text, attr: textOrNull });
export type Remark = v.InferOutput<typeof remark>;

const ask = object({
  ...remark.entries,
  choices: list(text),
  examples: list(text),
  /** What columns that are not known probably mean. */
  suggested: list(object({ column: text, field: text })),
});
export type Ask = v.InferOutput<typeof ask>;

const column = object({ number: count, column: text, field: textOrNull });
export type Column = v.InferOutput<typeof column>;

/** What would be booked of a row. */
const readTrade = object({
  account: text,
  ticker: text,
  side: text,
  quantity: decimal,
  price: decimal,
  trade_date: v.nullable(date),
  executed_at: textOrNull,
  note: text,
});
export type ReadTrade = v.InferOutput<typeof readTrade>;

const readRow = object({
  line: count,
  cells: list(text),
  trade: v.nullable(readTrade),
  passed_over: textOrNull,
  errors: list(remark),
  warnings: list(remark),
});
export type ReadRow = v.InferOutput<typeof readRow>;

const textsByName = v.record(v.string(), text, "an object");

const styles = object({
  decimal: textsByName,
  date_order: v.record(v.string(), textsByName, "an object"),
  timezone: text,
  order: text,
  account: textOrNull,
});
export type Styles = v.InferOutput<typeof styles>;

const counted = object({ rows: count, trades: count, rejected: count, passed_over: counts, judged: count });
export type Counts = v.InferOutput<typeof counted>;

export const preview = object({
  /** Null while something is asked: the file cannot be booked before. */
  digest: textOrNull,
  complete: flag,
  size: count,
  encoding: text,
  delimiter: text,
  header_line: count,
  profile: textOrNull,
  mapping: list(column),
  styles,
  asks: list(ask),
  counts: counted,
  duplicates: count,
  rows: list(readRow),
  warnings: list(remark),
});
export type Preview = v.InferOutput<typeof preview>;

export const profile = object({ name: text, label: text, timezone: text, tells: text });
export type Profile = v.InferOutput<typeof profile>;

const CHOICES: readonly Choice[] = ["profile", "timezone", "date_order", "decimal", "account", "order"];

/** A way to read files that was saved under a name. */
export const savedMapping = v.pipe(
  v.looseObject({ name: text, mapping: v.nullable(v.record(v.string(), textOrNull, "an object")) }, "an object"),
  v.transform(({ name, mapping, ...others }): { name: string; said: Said } => {
    const said: Said = {};
    for (const of of CHOICES) if (typeof others[of] === "string") said[of] = others[of];
    if (mapping !== null) said.mapping = mapping;
    return { name, said };
  }),
);
export type SavedMapping = v.InferOutput<typeof savedMapping>;
