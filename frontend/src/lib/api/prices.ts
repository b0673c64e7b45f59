/** Instruments, prices, and the exchange's clock. */

import type { Instrument, Market, PriceRow } from "../types";
import { instrument, market, priceRow } from "../validate";
import { answer, api } from "./client";
import { allPages, page } from "./pages";

export async function searchInstruments(
  search: string,
  signal: AbortSignal,
): Promise<Instrument[]> {
  const sent = api.GET("/api/v1/instruments/", { params: { query: { search } }, signal });
  return page(await answer(sent), instrument).results;
}

export function fetchInstruments(): Promise<Instrument[]> {
  return allPages(
    (cursor) => answer(api.GET("/api/v1/instruments/", { params: { query: cursor } })),
    instrument,
  );
}

/** The current price of one ticker; null when there is none. */
export async function fetchPrice(ticker: string, signal: AbortSignal): Promise<PriceRow | null> {
  const query = { ticker: [ticker] };
  const sent = api.GET("/api/v1/prices/", { params: { query }, signal });
  return page(await answer(sent), priceRow).results.find((row) => row.ticker === ticker) ?? null;
}

/** The prices of every instrument that is priced. */
export function fetchPrices(): Promise<PriceRow[]> {
  return allPages(
    (cursor) => answer(api.GET("/api/v1/prices/", { params: { query: cursor } })),
    priceRow,
  );
}

export async function fetchMarket(): Promise<Market> {
  return market(await answer(api.GET("/api/v1/market/")));
}
