/** What `system/` answers. */

import { count, flag, list, object, text, textOrNull } from "./edge";

export interface Lag {
  consumer: string;
  shard: number;
  entries: number;
  seconds: number;
}

export interface SystemState {
  now: string;
  business_date: string;
  previous_session: string;
  session_open: boolean;
  price_source: string;
  same_cluster: boolean;
  lag: Lag[];
  /** Age in seconds of the oldest running transaction; null when there is none. */
  horizon_age: number | null;
  quarantined: { consumer: string; account: string; error: string; since: string }[];
  prices: {
    priced: number;
    marked: number;
    stale: number;
    coverage: number;
    newest_age_seconds: number | null;
    oldest_age_seconds: number | null;
  };
  last_snapshot: { session: string; taken_at: string } | null;
  /** Null when they could not be asked. */
  queues: { queue: string; waiting: number }[] | null;
  workers: { worker: string; queues: string[] }[] | null;
  /** Active accounts in which no guard holds: nothing is asked before it is booked. */
  unguarded: string[];
  /** What is wrong, in the server's words. */
  problems: string[];
}

function numberOrNull(row: Record<string, unknown>, field: string): number | null {
  const value = row[field];
  return typeof value === "number" ? value : null;
}

export function systemState(value: unknown): SystemState {
  const row = object(value, "system");
  const ledger = object(row["ledger"], "ledger");
  const prices = object(row["prices"], "prices");
  const horizon = object(ledger["horizon"], "horizon");
  const snapshot = row["last_snapshot"] === null ? null : object(row["last_snapshot"], "last_snapshot");
  return {
    now: text(row, "now"),
    business_date: text(row, "business_date"),
    previous_session: text(row, "previous_session"),
    session_open: flag(row, "session_open"),
    price_source: text(row, "price_source"),
    same_cluster: flag(ledger, "same_cluster"),
    lag: list(ledger["lag"], "lag", (each) => {
      const lag = object(each, "lag");
      return {
        consumer: text(lag, "consumer"),
        shard: count(lag, "shard"),
        entries: count(lag, "entries"),
        seconds: numberOrNull(lag, "seconds") ?? 0,
      };
    }),
    horizon_age: numberOrNull(horizon, "age_seconds"),
    quarantined: list(ledger["quarantined"], "quarantined", (each) => {
      const found = object(each, "quarantined");
      return {
        consumer: text(found, "consumer"),
        account: text(found, "account"),
        error: text(found, "error"),
        since: textOrNull(found, "since") ?? "",
      };
    }),
    prices: {
      priced: count(prices, "priced"),
      marked: count(prices, "marked"),
      stale: count(prices, "stale"),
      coverage: numberOrNull(prices, "coverage") ?? 0,
      newest_age_seconds: numberOrNull(prices, "newest_age_seconds"),
      oldest_age_seconds: numberOrNull(prices, "oldest_age_seconds"),
    },
    last_snapshot: snapshot && { session: text(snapshot, "session"), taken_at: text(snapshot, "taken_at") },
    queues:
      row["queues"] === null
        ? null
        : list(row["queues"], "queues", (each) => {
            const queue = object(each, "queue");
            return { queue: text(queue, "queue"), waiting: count(queue, "waiting") };
          }),
    workers:
      row["workers"] === null
        ? null
        : list(row["workers"], "workers", (each) => {
            const worker = object(each, "worker");
            return { worker: text(worker, "worker"), queues: list(worker["queues"], "queues", String) };
          }),
    unguarded: list(row["unguarded"], "unguarded", String),
    problems: list(row["problems"], "problems", String),
  };
}

export interface ReaderLag {
  consumer: string;
  entries: number;
  seconds: number;
  shards: Lag[];
}

export function readers(lags: readonly Lag[]): ReaderLag[] {
  return [...new Set(lags.map(({ consumer }) => consumer))].map((consumer) => {
    const shards = lags.filter((lag) => lag.consumer === consumer);
    return {
      consumer,
      shards,
      entries: shards.reduce((running, { entries }) => running + entries, 0),
      seconds: Math.max(...shards.map(({ seconds }) => seconds)),
    };
  });
}
