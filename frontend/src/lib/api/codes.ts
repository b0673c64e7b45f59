/** Codes that a trade may name. */

import { flag, object, text } from "../edge";
import { answer, api } from "./client";
import { allPages } from "./pages";

export interface Code {
  code: string;
  name: string;
  /** An inactive one is named by no new trade. */
  is_active: boolean;
}

function code(value: unknown): Code {
  const row = object(value, "code");
  return { code: text(row, "code"), name: text(row, "name"), is_active: flag(row, "is_active") };
}

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
