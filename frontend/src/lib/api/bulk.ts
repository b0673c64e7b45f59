/** Many trades at once. */

import { list, object, text } from "../edge";
import type { Group } from "../bulk/run";
import { type NewTrade, REQUIRED, type TermName, type WithFees } from "../terms";
import { termsOf } from "../validate";
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
  const row = object(await answer(sent), "bulk");
  return {
    request_group: text(row, "request_group"),
    ids: list(row["ids"], "ids", String),
  };
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
  return list(object(await answer(sent), "generated")["trades"], "trades", (value) =>
    termsOf(object(value, "trade"), REQUIRED) as MadeUp,
  );
}
