/**
 * Positions added up by ticker or by account, exactly, kept up to date row by row.
 *
 * Unknown figures are left out of a sum and make its group invalid, as in the server's totals.
 */

import { positionKey } from "./live/connection";
import { sum } from "./money";
import type { Decimal, PositionRow } from "./types";

export type GroupBy = "ticker" | "account";

type Summed =
  | "market_value"
  | "trade_pnl"
  | "position_pnl"
  | "action_pnl"
  | "total_pnl"
  | "realized_pnl"
  | "unrealized_pnl";

export type GroupRow = Record<Summed, Decimal | null> & {
  group: string;
  rows: number;
  /** The net quantity of a ticker; null for an account, where it would add apples and pears. */
  quantity: Decimal | null;
  pnl_valid: boolean;
  pnl_reason: string | null;
  invalid_rows: number;
};

export class Groups {
  #members = new Map<string, Map<string, PositionRow>>();
  #touched = new Set<string>();

  constructor(private readonly by: GroupBy) {}

  put(row: PositionRow): void {
    const group = row[this.by];
    let members = this.#members.get(group);
    if (members === undefined) this.#members.set(group, (members = new Map()));
    members.set(positionKey(row), row);
    this.#touched.add(group);
  }

  drop(row: PositionRow): void {
    const group = row[this.by];
    this.#members.get(group)?.delete(positionKey(row));
    this.#touched.add(group);
  }

  clear(): void {
    this.#members.clear();
    this.#touched.clear();
  }

  get size(): number {
    return this.#members.size;
  }

  /** The groups that changed since the last call; `gone` are those without rows now. */
  changed(): { rows: GroupRow[]; gone: string[] } {
    const rows: GroupRow[] = [];
    const gone: string[] = [];
    for (const group of this.#touched) {
      const members = this.#members.get(group);
      if (members === undefined || members.size === 0) {
        this.#members.delete(group);
        gone.push(group);
      } else rows.push(total(group, [...members.values()], this.by));
    }
    this.#touched.clear();
    return { rows, gone };
  }
}

export function total(group: string, members: readonly PositionRow[], by: GroupBy): GroupRow {
  const invalid = members.filter((row) => !row.pnl_valid);
  const added = (field: Summed): Decimal | null => {
    const known = members.flatMap((row) => row[field] ?? []);
    return known.length === 0 ? null : sum(known);
  };
  return {
    group,
    rows: members.length,
    quantity: by === "ticker" ? sum(members.map((row) => row.quantity)) : null,
    market_value: added("market_value"),
    trade_pnl: added("trade_pnl"),
    position_pnl: added("position_pnl"),
    action_pnl: added("action_pnl"),
    total_pnl: added("total_pnl"),
    realized_pnl: added("realized_pnl"),
    unrealized_pnl: added("unrealized_pnl"),
    pnl_valid: invalid.length === 0,
    pnl_reason: invalid[0]?.pnl_reason ?? null,
    invalid_rows: invalid.length,
  };
}
