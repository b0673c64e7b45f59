/** Booking trades, correcting them, and reading what they have been. */

import { read } from "../answers/base";
import { type Effect, effect } from "../answers/effect";
import { type TradeRow, type TradeVersion, tradeRow, tradeVersion } from "../answers/trades";
import type { ChangedTerms, NewTrade, WithFees } from "../terms";
import { answer, api } from "./client";
import { allPages, cursorOf, type Page, page } from "./pages";

/** What was asked about is sent again with the token of the question. */
function confirmed<Body extends object>(body: Body, confirm: string | null): Body {
  return confirm === null ? body : { ...body, confirm };
}

/**
 * Books a trade. The same `client_trade_id` again books nothing and answers with that trade.
 *
 * Raises Refused (see there what is booked then) or Unreachable.
 */
export async function bookTrade(
  trade: NewTrade & WithFees,
  confirm: string | null = null,
): Promise<TradeRow> {
  const body = confirmed(trade, confirm);
  return read(tradeRow, await answer(api.POST("/api/v1/trades/", { body })));
}

/** What it would do if it were booked; nothing is. */
export async function checkTrade(trade: NewTrade & WithFees, signal: AbortSignal): Promise<Effect> {
  return read(effect, await answer(api.POST("/api/v1/trades/check/", { body: trade, signal })));
}

export async function fetchTrade(id: string, signal?: AbortSignal): Promise<TradeRow> {
  const params = { path: { trade_id: id } };
  return read(tradeRow, await answer(api.GET("/api/v1/trades/{trade_id}/", { params, ...(signal && { signal }) })),
  );
}

/** Oldest first; without those in accounts that the user may not view. */
export function fetchVersions(id: string): Promise<TradeVersion[]> {
  return allPages((cursor) => {
    const params = { path: { trade_id: id }, query: cursor };
    return answer(api.GET("/api/v1/trades/{trade_id}/versions/", { params }));
  }, tradeVersion);
}

/** Raises Refused with status 409 when `version` is no longer the current one. */
export async function amendTrade(
  id: string,
  version: number,
  reason: string,
  terms: ChangedTerms & WithFees,
  confirm: string | null = null,
): Promise<TradeRow> {
  const params = { path: { trade_id: id } };
  const body = confirmed({ version, reason, ...terms }, confirm);
  return read(tradeRow, await answer(api.PATCH("/api/v1/trades/{trade_id}/", { params, body })));
}

/** Raises Refused with status 409 when `version` is no longer the current one. */
export async function cancelTrade(
  id: string,
  version: number,
  reason: string,
  confirm: string | null = null,
): Promise<TradeRow> {
  const params = { path: { trade_id: id } };
  const body = confirmed({ version, reason }, confirm);
  return read(tradeRow, await answer(api.POST("/api/v1/trades/{trade_id}/cancel/", { params, body })));
}

/** Adds tags to a trade, or removes them; no version and no number changes. */
export async function tagTrade(id: string, add: string[], remove: string[]): Promise<TradeRow> {
  const params = { path: { trade_id: id } };
  const body = { ...(add.length > 0 && { add }), ...(remove.length > 0 && { remove }) };
  return read(tradeRow, await answer(api.POST("/api/v1/trades/{trade_id}/tags/", { params, body })));
}

/** The first trades of a request group, newest first. */
export async function fetchGroup(group: string, size: number): Promise<TradeRow[]> {
  const query = { request_group: group, page_size: size };
  return page(await answer(api.GET("/api/v1/trades/", { params: { query } })), tradeRow).results;
}

/** Trades dated on a day, older bookings than `after`, newest first; of one ticker if it is named. */
export async function fetchOlder(
  accounts: readonly string[],
  day: string,
  after: string,
  ticker: string | null,
  signal: AbortSignal,
): Promise<Page<TradeRow>> {
  const query = {
    account: [...accounts],
    trade_date: day,
    page_size: 1_000,
    after,
    ...(ticker !== null && { ticker: [ticker] }),
  };
  return page(await answer(api.GET("/api/v1/trades/", { params: { query }, signal })), tradeRow);
}

/** Trades of a position that are dated `last` or before, newest booking first; `next` of the page before. */
export async function fetchEarlier(
  of: { account: string; ticker: string },
  last: string,
  next: string | null,
): Promise<Page<TradeRow>> {
  const cursor = next === null ? {} : cursorOf(next);
  const query = { account: [of.account], ticker: [of.ticker], to: last, page_size: 50, ...cursor };
  return page(await answer(api.GET("/api/v1/trades/", { params: { query } })), tradeRow);
}

/** The newest trades of a ticker in all accounts that the user may view. */
export async function fetchNewest(ticker: string, signal: AbortSignal): Promise<TradeRow[]> {
  const query = { ticker: [ticker], page_size: 20 };
  return page(await answer(api.GET("/api/v1/trades/", { params: { query }, signal })), tradeRow).results;
}

/** Trades with a tag that are dated in these days, newest booking first; `next` of the page before. */
export async function fetchTagged(
  of: { tag: string; accounts: readonly string[]; from: string; to: string },
  next: string | null,
): Promise<Page<TradeRow>> {
  const { from, to } = of;
  const cursor = next === null ? {} : cursorOf(next);
  const query = { account: [...of.accounts], tag: [of.tag], from, to, page_size: 50, ...cursor };
  return page(await answer(api.GET("/api/v1/trades/", { params: { query } })), tradeRow);
}

/** Trades of a ticker that are dated in these days, newest booking first; `next` of the page before. */
export async function fetchBehind(
  of: { ticker: string; accounts: readonly string[]; from: string; to: string },
  next: string | null,
): Promise<Page<TradeRow>> {
  const { from, to } = of;
  const cursor = next === null ? {} : cursorOf(next);
  const query = { account: [...of.accounts], ticker: [of.ticker], from, to, page_size: 50, ...cursor };
  return page(await answer(api.GET("/api/v1/trades/", { params: { query } })), tradeRow);
}
