/** Positions as they were, and as they were known. */

import { type PositionRow, positionRow, strategyRow, toSettle } from "../answers/positions";
import { type TradeRow, type TradeVersion, tradeRow } from "../answers/trades";
import type { GroupedRow } from "../groups";
import type { Unsettled } from "../settlement";
import { answer, api } from "./client";
import { allPages, page } from "./pages";
import { fetchVersions } from "./trades";

/** A session, and the moment up to which is known what is counted: null for now. */
export interface Moment {
  session: string;
  knownAt: string | null;
}

export function fetchPositions(
  accounts: readonly string[],
  { session, knownAt }: Moment,
  signal: AbortSignal,
): Promise<PositionRow[]> {
  return allPages((cursor) => {
    const query = {
      account: [...accounts],
      as_of: session,
      ...(knownAt !== null && { known_at: knownAt }),
      ...cursor,
    };
    return answer(api.GET("/api/v1/positions/", { params: { query }, signal }));
  }, positionRow);
}

/** As they are now, in all accounts that the user may view. */
export function fetchHoldings(ticker: string, signal: AbortSignal): Promise<PositionRow[]> {
  return allPages((cursor) => {
    const query = { ticker: [ticker], ...cursor };
    return answer(api.GET("/api/v1/positions/", { params: { query }, signal }));
  }, positionRow);
}

/** As they are now, told apart by strategy. */
export function fetchByStrategy(accounts: readonly string[], signal: AbortSignal): Promise<GroupedRow[]> {
  return allPages(
    (cursor) => {
      const query = { account: [...accounts], by: "strategy" as const, ...cursor };
      return answer(api.GET("/api/v1/positions/", { params: { query }, signal }));
    },
    strategyRow,
  );
}

/** What is to settle on days to come: a line a day, account and ticker. */
export async function fetchUnsettled(accounts: readonly string[], signal: AbortSignal): Promise<Unsettled[]> {
  const keys = await allPages(
    (cursor) => {
      const params = { query: { account: [...accounts], ...cursor } };
      return answer(api.GET("/api/v1/positions/settlement/", { params, signal }));
    },
    toSettle,
  );
  return keys.flatMap(({ unsettled, overdue, ...of }) =>
    unsettled.map((day) => ({
      ...of,
      ...day,
      id: `${of.account}|${of.ticker}|${day.settlement_date}`,
      isOverdue: overdue.includes(day.settlement_date),
    })),
  );
}

/** Trades of a position whose versions are looked through; the newest are the likeliest. */
const LOOKED_THROUGH = 50;

export interface LaterVersion {
  trade: TradeRow;
  version: TradeVersion;
}

/** Versions of a position's trades, dated until `last`, that were recorded after `knownAt`. */
export async function fetchLaterVersions(
  of: { account: string; ticker: string },
  last: string,
  knownAt: string,
): Promise<LaterVersion[]> {
  const query = { account: [of.account], ticker: [of.ticker], to: last, page_size: LOOKED_THROUGH };
  const { results } = page(await answer(api.GET("/api/v1/trades/", { params: { query } })), tradeRow);
  const since = Date.parse(knownAt);
  // A first version is as old as its trade; a later one may be younger.
  const candidates = results.filter((trade) => trade.version > 1 || Date.parse(trade.booked_at) > since);
  const found = await Promise.all(
    candidates.map(async (trade) =>
      (await fetchVersions(trade.id)).map((version) => ({ trade, version })),
    ),
  );
  return found.flat().filter(({ version }) => Date.parse(version.recorded_at) > since);
}
