/**
 * Positions as a tree: added up by ticker with the accounts beneath, or by account with the tickers
 * beneath. Exact, and kept up to date row by row.
 *
 * Unknown figures are left out of a sum and make its group invalid, as in the server's totals. Sums
 * are of the positions that pass the filters.
 */

import type { Decimal } from "./answers/base";
import type { PositionRow } from "./answers/positions";
import { added, FIGURES } from "./figures";
import { positionKey } from "./live/connection";
import { sum } from "./money";

export type GroupBy = "ticker" | "account" | "strategy";

/** A position; where it is told apart by strategy, with the strategy, null for none. */
export type GroupedRow = PositionRow & { strategy?: string | null };

const NO_STRATEGY = "No strategy";

function groupNamed(row: GroupedRow, by: GroupBy): string {
  return by === "strategy" ? (row.strategy ?? NO_STRATEGY) : row[by];
}

/** What stands beneath a group. */
function beneath({ account, ticker }: GroupedRow, by: GroupBy): string {
  if (by === "strategy") return `${account} ${ticker}`;
  return by === "ticker" ? account : ticker;
}

/** A row's id: one position may be of several strategies. */
export function keyOf(row: GroupedRow): string {
  return row.strategy === undefined ? positionKey(row) : `${positionKey(row)}|${row.strategy ?? ""}`;
}

export const SUMMED = ["market_value", ...FIGURES, "realized_pnl", "unrealized_pnl"] as const;
type Summed = (typeof SUMMED)[number];

export type TreeRow = Record<Summed, Decimal | null> & {
  id: string;
  kind: "group" | "leaf" | "total";
  /** The group that it is, or stands beneath. */
  group: string;
  /** "KO", or "KO › Test1" beneath it: whoever filters or exports sees where a row belongs. */
  path: string;
  /** Positions in it. */
  rows: number;
  /** The net quantity of a ticker; null where it would add apples and pears. */
  quantity: Decimal | null;
  /** The mark; null where the rows of a group have several. */
  price: Decimal | null;
  pnl_valid: boolean;
  pnl_reason: string | null;
  invalid_rows: number;
  /** Null of a sum. */
  position: PositionRow | null;
};

export const BELOW = " › ";

export interface TreeChange {
  put: TreeRow[];
  /** Ids of rows that are gone. */
  gone: string[];
  total: TreeRow;
}

export class Groups {
  #members = new Map<string, Map<string, GroupedRow>>();
  #sums = new Map<string, TreeRow>();
  #touched = new Set<string>();
  /** Groups that were added up since they were last told of. */
  #added = new Set<string>();
  #leaves = new Map<string, TreeRow | null>();
  /** Positions that pass the filters; null without one. */
  #passing: ReadonlySet<string> | null = null;

  constructor(readonly by: GroupBy) {}

  put(row: GroupedRow): void {
    const group = groupNamed(row, this.by);
    let members = this.#members.get(group);
    if (members === undefined) this.#members.set(group, (members = new Map()));
    const key = keyOf(row);
    members.set(key, row);
    this.#leaves.set(key, leaf(row, this.by));
    this.#touched.add(group);
  }

  drop(row: GroupedRow): void {
    const group = groupNamed(row, this.by);
    const key = keyOf(row);
    this.#members.get(group)?.delete(key);
    this.#leaves.set(key, null);
    this.#touched.add(group);
  }

  /** Only these count from now on; null for all. */
  filter(passing: ReadonlySet<string> | null): void {
    const before = this.#passing;
    this.#passing = passing;
    for (const [group, members] of this.#members)
      for (const key of members.keys())
        if ((before?.has(key) ?? true) !== (passing?.has(key) ?? true)) {
          this.#touched.add(group);
          break;
        }
  }

  get positions(): number {
    let count = 0;
    for (const members of this.#members.values()) count += members.size;
    return count;
  }

  /** Positions that came, changed or went since the last call, `most` of them: before the filters see them. */
  changedLeaves(most = Number.POSITIVE_INFINITY): { put: TreeRow[]; gone: string[] } {
    const put: TreeRow[] = [];
    const gone: string[] = [];
    for (const [key, row] of this.#leaves) {
      if (put.length + gone.length >= most) break;
      if (row === null) gone.push(key);
      else put.push(row);
      this.#leaves.delete(key);
    }
    return { put, gone };
  }

  /** Adds `most` groups up that `changedSums` will tell of; false once none is left to. */
  addUp(most: number): boolean {
    let left = most;
    for (const group of this.#touched) {
      if (left <= 0) return true;
      left -= 1;
      this.#touched.delete(group);
      this.#addUp(group);
    }
    return false;
  }

  /** Sums that changed since the last call. */
  changedSums(): TreeChange {
    this.addUp(Number.POSITIVE_INFINITY);
    const put: TreeRow[] = [];
    const gone: string[] = [];
    for (const group of this.#added) {
      const row = this.#sums.get(group);
      if (row === undefined) gone.push(group);
      else put.push(row);
    }
    this.#added.clear();
    return { put, gone, total: totalOf([...this.#sums.values()]) };
  }

  #addUp(group: string): void {
    const members = this.#members.get(group);
    if (members === undefined || members.size === 0) {
      this.#members.delete(group);
      if (this.#sums.delete(group)) this.#added.add(group);
      return;
    }
    const passing = this.#passing;
    const counted = [...members].flatMap(([key, row]) => (passing?.has(key) ?? true ? [row] : []));
    this.#sums.set(group, groupOf(group, counted, this.by));
    this.#added.add(group);
  }
}

function leaf(row: GroupedRow, by: GroupBy): TreeRow {
  const group = groupNamed(row, by);
  return {
    ...figures((field) => row[field]),
    id: keyOf(row),
    kind: "leaf",
    group,
    path: `${group}${BELOW}${beneath(row, by)}`,
    rows: 1,
    quantity: row.quantity,
    price: row.price,
    pnl_valid: row.pnl_valid,
    pnl_reason: row.pnl_reason,
    invalid_rows: row.pnl_valid ? 0 : 1,
    position: row,
  };
}

function groupOf(group: string, members: readonly GroupedRow[], by: GroupBy): TreeRow {
  const invalid = members.filter((row) => !row.pnl_valid);
  const prices = new Set(members.map((row) => row.price));
  return {
    ...figures((field) => added(members.map((row) => row[field]))),
    id: group,
    kind: "group",
    group,
    path: group,
    rows: members.length,
    quantity: by === "ticker" ? sum(members.map((row) => row.quantity)) : null,
    price: by === "ticker" && prices.size === 1 ? (members[0]?.price ?? null) : null,
    pnl_valid: invalid.length === 0,
    pnl_reason: invalid[0]?.pnl_reason ?? null,
    invalid_rows: invalid.length,
    position: null,
  };
}

function totalOf(groups: readonly TreeRow[]): TreeRow {
  const counted = groups.filter(({ rows }) => rows > 0);
  const invalid = counted.find(({ pnl_valid }) => !pnl_valid);
  return {
    ...figures((field) => added(counted.map((row) => row[field]))),
    id: "total",
    kind: "total",
    group: "",
    path: "Total",
    rows: counted.reduce((running, { rows }) => running + rows, 0),
    quantity: null,
    price: null,
    pnl_valid: invalid === undefined,
    pnl_reason: invalid?.pnl_reason ?? null,
    invalid_rows: counted.reduce((running, { invalid_rows }) => running + invalid_rows, 0),
    position: null,
  };
}

function figures(of: (field: Summed) => Decimal | null): Record<Summed, Decimal | null> {
  return Object.fromEntries(SUMMED.map((field) => [field, of(field)])) as Record<Summed, Decimal | null>;
}

interface Node {
  data?: TreeRow | undefined;
}

/**
 * Puts sorted rows in the order of a tree: each group, and if it is open what is beneath it. Groups
 * of which nothing passes the filters go. The list itself is changed, as AG Grid asks it to be.
 */
export function asTree(nodes: Node[], isOpen: (group: string) => boolean): void {
  const beneath = new Map<string, Node[]>();
  for (const node of nodes) {
    if (node.data?.kind !== "leaf") continue;
    const there = beneath.get(node.data.group);
    if (there === undefined) beneath.set(node.data.group, [node]);
    else there.push(node);
  }
  const groups = nodes.filter(({ data }) => data?.kind === "group" && beneath.has(data.group));
  nodes.length = 0;
  for (const node of groups) {
    nodes.push(node);
    const { group } = node.data as TreeRow;
    if (isOpen(group)) for (const each of beneath.get(group) ?? []) nodes.push(each);
  }
}
