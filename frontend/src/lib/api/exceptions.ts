import { read } from "../answers/base";
import { type Exceptions, exceptions } from "../answers/exceptions";
import type { Kind } from "../exceptions.svelte";
import { answer, api } from "./client";

export interface Query {
  session?: string;
  kind?: Kind[];
  reviewed?: boolean;
  page_size?: number;
}

/** The first page: of so many nobody reviews all in one list. */
export async function fetchExceptions(query: Query): Promise<Exceptions> {
  return read(exceptions, await answer(api.GET("/api/v1/exceptions/", { params: { query } })));
}

export async function reviewExceptions(
  ids: string[],
  comment: string,
  session: string | undefined,
): Promise<void> {
  const body = { ids, comment, ...(session === undefined ? {} : { session }) };
  await answer(api.POST("/api/v1/exceptions/review/", { body }));
}
