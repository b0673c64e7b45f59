/** Lists of the API come in pages; here is how to read one, or all of them. */

import type { GenericSchema, InferOutput } from "valibot";

import { InvalidMessage, read } from "../answers/base";

export interface Page<T> {
  results: T[];
  next: string | null;
}

export function page<const Schema extends GenericSchema>(
  body: unknown,
  item: Schema,
): Page<InferOutput<Schema>> {
  const { results, next } = (body ?? {}) as { results?: unknown; next?: unknown };
  if (!Array.isArray(results)) throw new InvalidMessage("results: expected a list");
  return { results: results.map((each) => read(item, each)), next: typeof next === "string" ? next : null };
}

/** The part of `next` that a following request repeats: `after` or `cursor`. */
export function cursorOf(next: string): Record<string, string> {
  const query = new URL(next, globalThis.location?.href ?? "http://localhost/").searchParams;
  return Object.fromEntries(
    ["after", "cursor"].flatMap((name) => {
      const value = query.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

/** Every row over all pages; `fetchPage` gets what to add to its query. */
export async function allPages<const Schema extends GenericSchema>(
  fetchPage: (cursor: Record<string, string>) => Promise<unknown>,
  item: Schema,
): Promise<InferOutput<Schema>[]> {
  const found: InferOutput<Schema>[] = [];
  let cursor: Record<string, string> | null = {};
  while (cursor !== null) {
    const { results, next }: Page<InferOutput<Schema>> = page(await fetchPage(cursor), item);
    found.push(...results);
    cursor = next === null ? null : cursorOf(next);
  }
  return found;
}
