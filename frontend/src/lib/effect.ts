/** What a booking would do, as the server tells it. */

import { count, decimal, decimalOrNull, flag, list, object, text, textOrNull } from "./edge";
import { kind } from "./guards";
import type { Decimal, Fee } from "./types";

export interface Effect {
  price: Decimal;
  mark: Decimal | null;
  mark_stale: boolean;
  position_before: Decimal;
  position_after: Decimal;
  notional: Decimal;
  /** What it would be booked with; `source` is "schedule" where nobody said it. */
  fees: (Fee & { source: string })[];
  fees_total: Decimal;
  /** Notional and fees, as cash paid: a sale's is negative. */
  net_amount: Decimal;
  pnl_at_once: Decimal | null;
  net_pnl_at_once: Decimal | null;
  guards: { code: string; level: "warn" | "refuse"; detail: string }[];
  refused: { code: string; detail: string }[];
  limits: { id: number; name: string; limit: Decimal; used_after: Decimal; state: string }[];
}

export function effectOf(value: unknown): Effect {
  const row = object(value, "check");
  return {
    price: decimal(row, "price"),
    mark: decimalOrNull(row, "mark"),
    mark_stale: flag(row, "mark_stale"),
    position_before: decimal(row, "position_before"),
    position_after: decimal(row, "position_after"),
    notional: decimal(row, "notional"),
    fees: list(row["fees"], "fees", (each) => {
      const fee = object(each, "fee");
      return { kind: text(fee, "kind"), amount: decimal(fee, "amount"), source: text(fee, "source") };
    }),
    fees_total: decimal(row, "fees_total"),
    net_amount: decimal(row, "net_amount"),
    pnl_at_once: decimalOrNull(row, "pnl_at_once"),
    net_pnl_at_once: decimalOrNull(row, "net_pnl_at_once"),
    guards: list(row["guards"], "guards", (each) => {
      const guard = object(each, "guard");
      const level = text(guard, "level") === "refuse" ? "refuse" : "warn";
      return { code: text(guard, "code"), level, detail: text(guard, "detail") };
    }),
    refused: list(row["refused"], "refused", (each) => {
      const refused = object(each, "refused");
      return { code: text(refused, "code"), detail: text(refused, "detail") };
    }),
    limits: list(row["limits"], "limits", (each) => {
      const limit = object(each, "limit");
      const owner = textOrNull(limit, "account") ?? textOrNull(limit, "group") ?? "";
      return {
        id: count(limit, "id"),
        name: `${owner} ${kind(text(limit, "kind")).toLowerCase()}`,
        limit: decimal(limit, "limit"),
        used_after: decimal(limit, "used_after"),
        state: text(limit, "state"),
      };
    }),
  };
}
