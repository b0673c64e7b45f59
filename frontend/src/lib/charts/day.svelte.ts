/* eslint-disable svelte/prefer-svelte-reactivity -- maps are replaced here, never changed */
/** The business date's P&L so far, of each watched account and of all: what was recorded, and then what
 *  was seen live since. */

import { untrack } from "svelte";

import type { TotalRow } from "../answers/positions";
import { isAbort, Refused } from "../api/client";
import { fetchIntraday } from "../api/pnl";
import type { Desk } from "../desk.svelte";
import { overall } from "../totals";
import { continued, type Line, linesOf, summedLine } from "./intraday";

/** Between two live points, in ms. */
const EVERY = 5_000;
const MOST = 5_000;
const NOTHING: Line = { times: [], totals: [] };

export class Day {
  #stored = $state.raw<ReadonlyMap<string, Line>>(new Map());
  #storedSum = $state.raw<Line>(NOTHING);
  #seen = $state.raw<ReadonlyMap<string, Line>>(new Map());
  #seenSum = $state.raw<Line>(NOTHING);

  readonly #desk: Desk;
  readonly #rows = $derived.by(() =>
    this.#desk.watched.flatMap((code) => this.#desk.live.state.totals.get(code) ?? []),
  );
  /** Null also until every watched account has its row: a part of the sum would be a false point. */
  readonly total = $derived.by(() =>
    this.#rows.length === this.#desk.watched.length ? overall(this.#rows).total_pnl : null,
  );
  /** What is so now, by account. */
  readonly now = $derived.by(() => new Map(this.#rows.map((row) => [row.account, row.total_pnl])));
  readonly line = $derived(continued(this.#storedSum, this.#seenSum));
  readonly lines = $derived.by(
    () =>
      new Map(
        this.#desk.watched.map((code) => [
          code,
          continued(this.#stored.get(code) ?? NOTHING, this.#seen.get(code) ?? NOTHING),
        ]),
      ),
  );

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Reads what was recorded of what is watched now; call it in an effect. How to stop. */
  load(): () => void {
    const accounts = this.#desk.watched;
    this.#stored = this.#seen = new Map();
    this.#storedSum = this.#seenSum = NOTHING;
    const controller = new AbortController();
    if (accounts.length > 0) void this.#read(accounts, controller.signal);
    return () => controller.abort();
  }

  async #read(accounts: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      const points = await fetchIntraday(accounts, signal);
      this.#stored = linesOf(points);
      this.#storedSum = summedLine(points);
      this.#add();
    } catch (error) {
      // Without the day so far the lines begin now.
      if (!isAbort(error) && !(error instanceof Refused)) return;
    }
  }

  /** Adds what is live, again and again; how to stop. */
  follow(): () => void {
    const timer = setInterval(() => untrack(() => this.#add()), EVERY);
    return () => clearInterval(timer);
  }

  #add(): void {
    if (!this.#desk.isCurrent || this.total === null || this.#rows.length === 0) return;
    const at = Math.floor(Date.now() / 1000);
    this.#seenSum = longer(this.#seenSum, at, this.total);
    this.#seen = new Map(
      this.#rows.map(({ account, total_pnl }) => [
        account,
        longer(this.#seen.get(account) ?? NOTHING, at, total_pnl),
      ]),
    );
  }
}

function longer({ times, totals }: Line, at: number, total: TotalRow["total_pnl"] | null): Line {
  return {
    times: [...times, at].slice(-MOST),
    totals: [...totals, total === null ? null : Number(total)].slice(-MOST),
  };
}
