/** Many trades at once. */

import { list, object, text } from "../edge";
import type { Group } from "../bulk/run";
import { type NewTrade, REQUIRED, type TermName } from "../terms";
import type { ImportJob } from "../types";
import { importJob, termsOf } from "../validate";
import { answer, api } from "./client";
import { allPages, page } from "./pages";

const MOST_ON_A_PAGE = 1_000;

/** Books all of them or none. The same group again with the same trades books nothing. */
export async function bulkBook(group: string, trades: NewTrade[]): Promise<Group> {
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

/**
 * Hands a CSV file to the workers; they book it, whatever becomes of this page. The same file with
 * the same `id` again is not imported again: the answer is that import as it is now. The bytes of an
 * earlier import are refused as `file_seen`, unless all of them are meant `onceMore`.
 */
export async function uploadImport(
  file: Blob,
  name: string,
  groupSize: number,
  id: string,
  onceMore: boolean,
): Promise<ImportJob> {
  const form = new FormData();
  form.append("file", file, name);
  form.append("client_import_id", id);
  form.append("group_size", String(groupSize));
  // This page writes numbers with points.
  form.append("decimal", ".");
  if (onceMore) form.append("again", "true");
  const sent = api.POST("/api/v1/trades/imports/", {
    body: form as never,
    bodySerializer: (body: unknown) => body as FormData,
    headers: { "X-Patience": "upload" },
  });
  return importJob(await answer(sent));
}

export async function fetchImport(id: string): Promise<ImportJob> {
  const params = { path: { import_id: id } };
  return importJob(await answer(api.GET("/api/v1/trades/imports/{import_id}/", { params })));
}

/** The user's own, newest first. */
export async function fetchImports(): Promise<ImportJob[]> {
  const params = { query: { page_size: 10 } };
  return page(await answer(api.GET("/api/v1/trades/imports/", { params })), importJob).results;
}

/** Cancels every trade of an import, each as a version with the reason. */
export async function undoImport(id: string, reason: string): Promise<ImportJob> {
  const params = { path: { import_id: id } };
  const sent = api.POST("/api/v1/trades/imports/{import_id}/undo/", {
    params,
    body: { reason },
    headers: { "X-Patience": "upload" },
  });
  return importJob(await answer(sent));
}

/** The ids of all trades that a request group booked, in the order of its rows. */
export async function fetchGroupIds(group: string): Promise<string[]> {
  const ids = await allPages(
    (cursor) => {
      const query = { request_group: group, page_size: MOST_ON_A_PAGE, ...cursor };
      return answer(api.GET("/api/v1/trades/", { params: { query } }));
    },
    (value) => text(object(value, "trade"), "id"),
  );
  return ids.toReversed();
}

export const rejectedRowsAddress = (id: string): string => `/api/v1/trades/imports/${id}/errors.csv`;
