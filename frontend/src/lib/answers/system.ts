/** What `system/` answers. */

import * as v from "valibot";

import { count, flag, list, number, object, text, textOrNull } from "./base";

const numberOrNull = v.nullish(number, null);

const lag = object({ consumer: text, shard: count, entries: count, seconds: v.nullish(number, 0) });
export type Lag = v.InferOutput<typeof lag>;

const answered = object({
  now: text,
  business_date: text,
  previous_session: text,
  session_open: flag,
  price_source: text,
  ledger: object({
    same_cluster: flag,
    lag: list(lag),
    /** Age in seconds of the oldest running transaction; null when there is none. */
    horizon: object({ age_seconds: numberOrNull }),
    quarantined: list(
      object({
        consumer: text,
        account: text,
        error: text,
        since: v.pipe(
          textOrNull,
          v.transform((since) => since ?? ""),
        ),
      }),
    ),
  }),
  prices: object({
    priced: count,
    marked: count,
    stale: count,
    coverage: v.nullish(number, 0),
    newest_age_seconds: numberOrNull,
    oldest_age_seconds: numberOrNull,
  }),
  last_snapshot: v.nullable(object({ session: text, taken_at: text })),
  /** Null when they could not be asked. */
  queues: v.nullable(list(object({ queue: text, waiting: count }))),
  workers: v.nullable(list(object({ worker: text, queues: list(text) }))),
  /** Active accounts in which no guard holds: nothing is asked before it is booked. */
  unguarded: list(text),
  /** What is wrong, in the server's words. */
  problems: list(text),
});

export const systemState = v.pipe(
  answered,
  v.transform(({ ledger: { horizon, ...ledger }, ...state }) => ({
    ...state,
    ...ledger,
    horizon_age: horizon.age_seconds,
  })),
);
export type SystemState = v.InferOutput<typeof systemState>;
