/** Instruments, prices, and the exchange's clock. */

import { read } from "../answers/base";
import { type Market, market } from "../answers/desk";
import {
  type CloseRow,
  type Doubt,
  type Instrument,
  type Override,
  type PriceRow,
  closeRow,
  dayLines,
  doubt,
  instrument,
  override,
  priceRow,
  series,
} from "../answers/prices";
import type { DayLine } from "../sparks/spark";
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

/** Adds a listed name outside the index (staff); its ticker. */
export async function addInstrument(
  ticker: string,
  name: string,
  exchange: "XNYS" | "XNAS" | "ARCX" | "XASE" | "BATS",
): Promise<string> {
  const body = { ticker, exchange, ...(name !== "" && { name }) };
  return read(instrument, await answer(api.POST("/api/v1/instruments/", { body }))).ticker;
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
  return read(market, await answer(api.GET("/api/v1/market/")));
}

/** The closes of an instrument, oldest first: the last, or all from a day on that one page holds. */
export async function fetchCloses(ticker: string, signal: AbortSignal, from?: string): Promise<CloseRow[]> {
  const query = { ticker: [ticker], ...(from !== undefined && { from, page_size: 1_000 }) };
  const sent = api.GET("/api/v1/prices/closes/", { params: { query }, signal });
  return page(await answer(sent), closeRow).results;
}

export interface SeriesPoint {
  /** Seconds since 1970. */
  at: number;
  price: number | null;
}

/** An instrument's prices of the business date so far, for a line only: they are numbers. */
export async function fetchSeries(ticker: string, signal: AbortSignal): Promise<SeriesPoint[]> {
  const params = { query: { ticker } };
  const { points } = read(series, await answer(api.GET("/api/v1/prices/series/", { params, signal })));
  return points.map(({ at, price }) => ({
    at: Math.floor(Date.parse(at) / 1000),
    price: Number(price),
  }));
}

/** The business date's prices in few points, by ticker: of these, or of all that are priced.
 *  `startsAt` is the moment (ms) from which their minutes count. */
export async function fetchLines(
  tickers: readonly string[] | null,
  signal: AbortSignal,
): Promise<{ startsAt: number; lines: Map<string, DayLine> }> {
  const query = tickers === null ? {} : { ticker: [...tickers] };
  const sent = api.GET("/api/v1/prices/lines/", { params: { query }, signal });
  const found = read(dayLines, await answer(sent));
  return {
    startsAt: Date.parse(found.starts_at),
    lines: new Map(found.lines.map((line) => [line.ticker, line])),
  };
}

/** The price by hand that counts for a ticker (staff); null when there is none. */
export async function fetchOverride(ticker: string, signal: AbortSignal): Promise<Override | null> {
  const query = { ticker: [ticker] };
  const sent = api.GET("/api/v1/prices/overrides/", { params: { query }, signal });
  return page(await answer(sent), override).results.at(0) ?? null;
}

/** Sets a price by hand (staff) until the end of the business date. One that is far off is refused
 * with a token; the same again with the token as `confirm` goes through. */
export async function setOverride(
  ticker: string,
  price: string,
  reason: string,
  confirm: string | null,
): Promise<Override> {
  const body = { ticker, price, reason, ...(confirm !== null && { confirm }) };
  const sent = api.POST("/api/v1/prices/overrides/", { body });
  return read(override, await answer(sent));
}

export async function endOverride(id: number): Promise<void> {
  const params = { path: { override_id: id } };
  await answer(api.POST("/api/v1/prices/overrides/{override_id}/end/", { params }));
}

/** Prices that wait for a decision, and those that were recorded because their session bore them
 * out; newest first. */
export function fetchDoubts(): Promise<Doubt[]> {
  const query: { state: ("held" | "recorded")[] } = { state: ["held", "recorded"] };
  return allPages(
    (cursor) => answer(api.GET("/api/v1/prices/doubts/", { params: { query: { ...query, ...cursor } } })),
    doubt,
  );
}

/** Release them, so that they count, or refuse them: all or none. */
export async function decideDoubts(ids: number[], release: boolean, reason: string): Promise<void> {
  const body = { ids, reason };
  await answer(
    release
      ? api.POST("/api/v1/prices/doubts/release/", { body })
      : api.POST("/api/v1/prices/doubts/refuse/", { body }),
  );
}
