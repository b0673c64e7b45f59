/** The ledger's readers, each over its shards. */

import type { Lag } from "./answers/system";

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
