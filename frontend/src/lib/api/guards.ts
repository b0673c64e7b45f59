import {
  askedVersion,
  breach,
  guard,
  limit,
  type AskedVersion,
  type Breach,
  type Guard,
  type Limit,
} from "../answers/guards";
import type { Code } from "../guards";
import { answer, api } from "./client";
import { allPages, page } from "./pages";

/** The newest that guards asked about and that were recorded all the same. */
export async function fetchAsked(): Promise<AskedVersion[]> {
  return page(await answer(api.GET("/api/v1/guards/asked/")), askedVersion).results;
}

export async function fetchOpenBreaches(): Promise<Breach[]> {
  const query = { open: true };
  return page(await answer(api.GET("/api/v1/breaches/", { params: { query } })), breach).results;
}

export function fetchGuards(): Promise<Guard[]> {
  return allPages(
    (cursor) => answer(api.GET("/api/v1/guards/", { params: { query: cursor } })),
    guard,
  );
}

export function fetchLimits(): Promise<Limit[]> {
  return allPages(
    (cursor) => answer(api.GET("/api/v1/limits/", { params: { query: cursor } })),
    limit,
  );
}

export interface Wanted {
  account: string | null;
  code: Code;
  warn: string | null;
  refuse: string | null;
  minutes?: number;
  is_active: boolean;
}

/** Sets one guard, by its account and code. */
export async function putGuard(wanted: Wanted): Promise<void> {
  await answer(api.PUT("/api/v1/guards/", { body: [wanted] }));
}
