/** Many trades at once. */

import { read } from "../answers/base";
import { bookedGroup, type Group, madeUp } from "../answers/trades";
import type { NewTrade, TermName, WithFees } from "../terms";
import { answer, api } from "./client";

/** Books all of them or none. The same group again with the same trades books nothing. */
export async function bulkBook(
  group: string,
  trades: (NewTrade & WithFees)[],
  confirm: string | null = null,
): Promise<Group> {
  const body = { request_group: group, trades, ...(confirm !== null && { confirm }) };
  const sent = api.POST("/api/v1/trades/bulk/", {
    body,
    headers: { "X-Patience": "upload" },
  });
  return read(bookedGroup, await answer(sent));
}

/** The terms that a booking needs. */
export type MadeUp = Partial<Record<TermName, string>>;

/** Valid rows near current prices; nothing is booked. Without tickers: all that have a price. */
export async function generateTrades(
  accounts: string[],
  count: number,
  tickers: string[],
): Promise<MadeUp[]> {
  const body = { accounts, count, ...(tickers.length > 0 && { tickers }) };
  const sent = api.POST("/api/v1/trades/generate/", { body, headers: { "X-Patience": "upload" } });
  return read(madeUp, await answer(sent)).trades as MadeUp[];
}
