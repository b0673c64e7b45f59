import { counts, list, object, text, textOrNull, count } from "../edge";
import type { Exception, Exceptions, Kind } from "../exceptions.svelte";
import { answer, api } from "./client";

export interface Query {
  session?: string;
  kind?: Kind[];
  reviewed?: boolean;
  page_size?: number;
}

/** The first page: of so many nobody reviews all in one list. */
export async function fetchExceptions(query: Query): Promise<Exceptions> {
  const body = object(
    await answer(api.GET("/api/v1/exceptions/", { params: { query } })),
    "exceptions",
  );
  return { rows: list(body["results"], "results", exception), open: counts(body["open"], "open") };
}

export async function reviewExceptions(
  ids: string[],
  comment: string,
  session: string | undefined,
): Promise<void> {
  const body = { ids, comment, ...(session === undefined ? {} : { session }) };
  await answer(api.POST("/api/v1/exceptions/review/", { body }));
}

function exception(value: unknown): Exception {
  const row = object(value, "exception");
  return {
    id: text(row, "id"),
    kind: text(row, "kind"),
    at: text(row, "at"),
    account: textOrNull(row, "account"),
    ticker: textOrNull(row, "ticker"),
    by: textOrNull(row, "by"),
    detail: text(row, "detail"),
    trade: textOrNull(row, "trade"),
    version: row["version"] === null ? null : count(row, "version"),
    reviewed_by: textOrNull(row, "reviewed_by"),
    reviewed_at: textOrNull(row, "reviewed_at"),
    comment: textOrNull(row, "comment"),
  };
}
