/** Many trades at once. */

import { list, object, text } from "../edge";
import type { BulkTrade } from "../bulk/rows";
import type { Group } from "../bulk/run";
import { answer, api } from "./client";

/** Books all of them or none. The same group again with the same trades books nothing. */
export async function bulkBook(group: string, trades: BulkTrade[]): Promise<Group> {
  const sent = api.POST("/api/v1/trades/bulk/", {
    body: { request_group: group, trades },
    headers: { "X-Patience": "upload" },
  });
  const row = object(await answer(sent), "bulk");
  return {
    request_group: text(row, "request_group"),
    ids: list(row["ids"], "ids", String),
  };
}

export interface MadeUp {
  account: string;
  ticker: string;
  side: string;
  quantity: string;
  price: string;
}

/** Valid rows near current prices; nothing is booked. Without tickers: all that have a price. */
export async function generateTrades(
  accounts: string[],
  count: number,
  tickers: string[],
): Promise<MadeUp[]> {
  const body = { accounts, count, ...(tickers.length > 0 && { tickers }) };
  const sent = api.POST("/api/v1/trades/generate/", { body, headers: { "X-Patience": "upload" } });
  return list(object(await answer(sent), "generated")["trades"], "trades", (value) => {
    const row = object(value, "trade");
    return {
      account: text(row, "account"),
      ticker: text(row, "ticker"),
      side: text(row, "side"),
      quantity: text(row, "quantity"),
      price: text(row, "price"),
    };
  });
}
