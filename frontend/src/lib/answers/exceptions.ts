/** Exceptions of a session, for who reviews them. */

import * as v from "valibot";

import { count, counts, list, object, text, textOrNull } from "./base";

export const exception = object({
  /** Names it for ever: what is changed again is another one. */
  id: text,
  kind: text,
  at: text,
  account: textOrNull,
  ticker: textOrNull,
  by: textOrNull,
  detail: text,
  trade: textOrNull,
  version: v.nullable(count),
  reviewed_by: textOrNull,
  reviewed_at: textOrNull,
  comment: textOrNull,
});
export type Exception = v.InferOutput<typeof exception>;

export const exceptions = v.pipe(
  object({
    results: list(exception),
    /** How many nobody has reviewed, by kind. */
    open: counts,
  }),
  v.transform(({ results: rows, open }) => ({ rows, open })),
);
export type Exceptions = v.InferOutput<typeof exceptions>;
