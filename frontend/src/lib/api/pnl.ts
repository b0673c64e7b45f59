/** P&L over sessions and over the day. */

import {
  type IntradayPoint,
  type PnlRow,
  type SnapshotDifference,
  intradayPoint,
  pnlRow,
  snapshotDifference,
} from "../answers/pnl";
import { answer, api } from "./client";
import { allPages } from "./pages";

export interface PnlQuery {
  account: string[];
  from: string;
  to: string;
  by: "account" | "ticker";
}

export function fetchPnl(query: PnlQuery, signal: AbortSignal): Promise<PnlRow[]> {
  return allPages(
    (cursor) =>
      answer(api.GET("/api/v1/pnl/", { params: { query: { ...query, ...cursor } }, signal })),
    pnlRow,
  );
}

/** At most one point a minute and account; of the business date without a session. */
export function fetchIntraday(
  accounts: readonly string[],
  signal: AbortSignal,
): Promise<IntradayPoint[]> {
  return allPages((cursor) => {
    const params = { query: { account: [...accounts], ...cursor } };
    return answer(api.GET("/api/v1/pnl/intraday/", { params, signal }));
  }, intradayPoint);
}

/** Where the snapshot of a session and what is known now of that session differ. */
export function fetchDifferences(
  accounts: readonly string[],
  session: string,
  signal: AbortSignal,
): Promise<SnapshotDifference[]> {
  return allPages((cursor) => {
    const params = { query: { account: [...accounts], session, ...cursor } };
    return answer(api.GET("/api/v1/positions/snapshots/differences/", { params, signal }));
  }, snapshotDifference);
}
