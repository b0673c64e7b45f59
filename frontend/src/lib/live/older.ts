/**
 * Trades of the day that are older than those that are watched: asked for when somebody looks for
 * them, and shown beneath the watched ones. They are as they were when they were read.
 */

import type { TradeRow } from "../answers/trades";
import type { Delta, LiveState } from "./connection";

export class OlderTrades {
  #rows = new Map<string, TradeRow>();
  #reached: string | null = null;

  /** What is watched starts anew. */
  reset(): void {
    this.#rows.clear();
    this.#reached = null;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The id after which the next older ones come; null while there are none. */
  reached(state: LiveState): string | null {
    return this.#reached ?? oldestOf(state);
  }

  /** Of what was read, the rows that are not shown yet; they count as shown afterwards. `isAll`:
   * nothing was left out between those before and these. */
  take(found: readonly TradeRow[], state: LiveState, isAll: boolean): TradeRow[] {
    if (isAll) this.#reached = found.at(-1)?.id ?? this.#reached;
    const fresh = found.filter(({ id }) => !state.trades.has(id) && !this.#rows.has(id));
    for (const row of fresh) this.#rows.set(row.id, row);
    return fresh;
  }

  /**
   * A change of the watched rows as a change of all that are shown. What leaves the watched ones at
   * their older end, while others came, is still of the day: it stays, beneath. `isLess`: the day
   * has fewer trades than before.
   */
  change(changed: Delta<TradeRow>, state: LiveState, isLess: boolean): Delta<TradeRow> {
    if (this.#rows.size === 0) return changed;
    const { add, update, remove } = changed;
    const known = add.filter(({ id }) => this.#rows.delete(id));
    const oldest = oldestOf(state) ?? "";
    const stays = (row: TradeRow): boolean => !isLess && row.id < oldest;
    for (const row of remove.filter(stays)) this.#rows.set(row.id, row);
    return {
      add: add.filter((row) => !known.includes(row)),
      update: [...update, ...known],
      remove: remove.filter((row) => !stays(row)),
    };
  }
}

/** The id of the oldest watched trade. */
export function oldestOf({ trades }: LiveState): string | null {
  let oldest: string | null = null;
  for (const id of trades.keys()) if (oldest === null || id < oldest) oldest = id;
  return oldest;
}
