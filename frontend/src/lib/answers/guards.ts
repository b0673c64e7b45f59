/** Guards, limits, and what was made of them. */

import * as v from "valibot";

import { count, decimal, flag, list, object, text, textOrNull } from "./base";

export const found = object({ code: text, detail: text });
export type Found = v.InferOutput<typeof found>;

export const askedVersion = object({
  id: text,
  trade: text,
  version: count,
  account: text,
  ticker: text,
  side: text,
  quantity: text,
  price: text,
  asked: list(found),
  /** Null where nobody was asked, as in an import. */
  confirmed_by: textOrNull,
  recorded_at: text,
});
export type AskedVersion = v.InferOutput<typeof askedVersion>;

export const guard = object({
  /** Null means all accounts. */
  account: textOrNull,
  code: text,
  warn: textOrNull,
  refuse: textOrNull,
  minutes: v.nullable(count),
  is_active: flag,
});
export type Guard = v.InferOutput<typeof guard>;

/** A limit is of an account or of a group of accounts. */
export const owner = { account: textOrNull, group: textOrNull };

/** The same with the owner, whichever it is, as `of`. */
export function owned<Row extends { account: string | null; group: string | null }>({
  account,
  group,
  ...row
}: Row): Omit<Row, "account" | "group"> & { of: string } {
  return { ...row, of: account ?? group ?? "" };
}

export const limit = v.pipe(
  object({ ...owner, id: count, kind: text, amount: text, alert_at: text, mode: text, is_active: flag }),
  v.transform(owned),
);
export type Limit = v.InferOutput<typeof limit>;

export const breach = v.pipe(
  object({ ...owner, id: text, kind: text, state: text, value: text, amount: text, used: text, opened_at: text }),
  v.transform(owned),
);
export type Breach = v.InferOutput<typeof breach>;

/** What came of a limit of accounts that are watched: it was warned of or exceeded, or is no more. */
export const breachNews = v.pipe(
  object({
    ...owner,
    id: text,
    kind: text,
    state: text,
    /** In percent of the limit. */
    used: decimal,
    closed_at: textOrNull,
  }),
  v.transform(owned),
  v.transform(({ closed_at, ...news }) => ({ ...news, is_open: closed_at === null })),
);
export type BreachNews = v.InferOutput<typeof breachNews>;
