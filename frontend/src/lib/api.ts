/** The REST calls that the page makes: session cookie, CSRF token from the page. */

import type { Account, Instrument, PriceRow, Side, TradeRow } from "./types";
import { account, instrument, InvalidMessage, priceRow, tradeRow } from "./validate";

/** One complaint; `attr` names the field it is about, null is about the whole request. */
export interface Complaint {
  code: string;
  detail: string;
  attr: string | null;
}

/**
 * The server answered, and refused. `status` is the HTTP status.
 *
 * Any 4xx means that nothing was booked; a 5xx leaves it open.
 */
export class Refused extends Error {
  override name = "Refused";
  constructor(
    readonly status: number,
    readonly complaints: Complaint[],
  ) {
    super(complaints[0]?.detail ?? `The server answered ${status}.`);
  }
}

/** No answer arrived: whether the server acted is unknown. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

export interface NewTrade {
  account: string;
  ticker: string;
  side: Side;
  quantity: string;
  price: string;
  client_trade_id: string;
}

/** A booking without an answer by then is treated as unreachable, in milliseconds. */
const TIMEOUT = 15_000;

/** The page's own token. The cookie may have any name: two stacks can share one host. */
export function csrfToken(): string {
  return document.querySelector<HTMLInputElement>("#csrf input")?.value ?? "";
}

async function call(path: string, init: RequestInit = {}): Promise<unknown> {
  const deadline = AbortSignal.timeout(TIMEOUT);
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      credentials: "same-origin",
      headers: { Accept: "application/json", ...init.headers },
      signal: init.signal ? AbortSignal.any([init.signal, deadline]) : deadline,
    });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Unreachable("The server did not answer.");
  }
  // A body that is none, or that breaks off, is judged by the status alone.
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, complaints(body, response.status));
  return body;
}

export function complaints(body: unknown, status: number): Complaint[] {
  const listed = (body as { errors?: unknown } | null)?.errors;
  const found = (Array.isArray(listed) ? listed : []).flatMap((each: Partial<Complaint> | null) =>
    typeof each?.detail === "string"
      ? [{ code: String(each.code ?? ""), detail: each.detail, attr: each.attr ?? null }]
      : [],
  );
  if (found.length > 0) return found;
  return [{ code: "", detail: `The server answered ${status}.`, attr: null }];
}

interface Page<T> {
  results: T[];
  next: string | null;
}

function page<T>(body: unknown, item: (value: unknown) => T): Page<T> {
  const { results, next } = (body ?? {}) as { results?: unknown; next?: unknown };
  if (!Array.isArray(results)) throw new InvalidMessage("results: expected a list");
  return { results: results.map(item), next: typeof next === "string" ? next : null };
}

/** Every account that the user may view, over all pages. */
export async function fetchAccounts(): Promise<Account[]> {
  const found: Account[] = [];
  let path: string | null = "/api/v1/accounts/";
  while (path !== null) {
    const { results, next }: Page<Account> = page(await call(path), account);
    found.push(...results);
    path = next === null ? null : samePlace(next);
  }
  return found.filter((each) => each.can_view);
}

/** Behind a proxy the server may name itself otherwise; only the path and query count. */
function samePlace(address: string): string {
  const url = new URL(address, location.href);
  return url.pathname + url.search;
}

export async function searchInstruments(
  search: string,
  signal: AbortSignal,
): Promise<Instrument[]> {
  const query = new URLSearchParams({ search });
  return page(await call(`/api/v1/instruments/?${query}`, { signal }), instrument).results;
}

/** The current price of a ticker that no watched account holds; null when there is none. */
export async function fetchPrice(ticker: string, signal: AbortSignal): Promise<PriceRow | null> {
  const query = new URLSearchParams({ ticker });
  const { results } = page(await call(`/api/v1/prices/?${query}`, { signal }), priceRow);
  return results.find((row) => row.ticker === ticker) ?? null;
}

/**
 * Books a trade. The same `client_trade_id` again books nothing and answers with that trade.
 *
 * Raises Refused (see there what is booked then) or Unreachable.
 */
export async function bookTrade(trade: NewTrade): Promise<TradeRow> {
  return tradeRow(
    await call("/api/v1/trades/", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(trade),
    }),
  );
}

/** 128 random bits. `crypto.randomUUID` exists only over HTTPS and on the machine itself. */
export function newClientTradeId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `web-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
