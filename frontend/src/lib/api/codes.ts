/** Codes that a trade may name. */

import { type Code, code } from "../answers/desk";
import { answer, api } from "./client";
import { allPages } from "./pages";

export function fetchStrategies(): Promise<Code[]> {
  return allPages(
    (cursor) => answer(api.GET("/api/v1/strategies/", { params: { query: cursor } })),
    code,
  );
}

export function fetchCounterparties(): Promise<Code[]> {
  return allPages(
    (cursor) => answer(api.GET("/api/v1/counterparties/", { params: { query: cursor } })),
    code,
  );
}
