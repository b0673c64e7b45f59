/** The price that a ticket offers for its ticker: the live one, else one that is asked for. */

import type { PositionRow } from "./answers/positions";
import type { PriceRow } from "./answers/prices";
import { fetchPrice, searchInstruments } from "./api/prices";

/** How long a price is waited for, in ms; without one it can be typed. */
const PATIENCE = 5_000;

export interface Offer {
  price: string;
  word: "override" | "stale" | "live";
}

/** The price in a row of a position in this ticker, which is live; null where nobody holds it. */
export function heldPrice(positions: Iterable<PositionRow>, ticker: string): Offer | null {
  for (const row of positions) {
    if (row.ticker !== ticker || row.price === null) continue;
    const stale = row.pnl_reason === "stale";
    return { price: row.price, word: row.mark_source === "override" ? "override" : stale ? "stale" : "live" };
  }
  return null;
}

export class PriceOffer {
  /** The ticker that was picked last; empty before the first. */
  ticker = $state("");
  #fetched = $state.raw<PriceRow | null>(null);
  #asking: string | null = null;

  constructor(private readonly live: (ticker: string) => Offer | null) {}

  /** Null without a price. */
  readonly offered = $derived.by((): Offer | null => {
    const held = this.live(this.ticker);
    const row = this.#fetched?.ticker === this.ticker ? this.#fetched : null;
    if (held !== null || row === null || row.price === null) return held;
    return { price: row.price, word: row.override ? "override" : row.stale ? "stale" : "live" };
  });

  /** Whether nothing of this ticker need be asked for. */
  knows(ticker: string): boolean {
    return this.live(ticker) !== null;
  }

  /** Asks again for a price that is not live. */
  async refresh(): Promise<void> {
    const ticker = this.ticker;
    if (ticker === "" || this.knows(ticker) || this.#asking !== null) return;
    try {
      const row = await fetchPrice(ticker, AbortSignal.timeout(PATIENCE));
      if (this.ticker === ticker) this.#fetched = row;
    } catch {
      // The one that is shown was right a moment ago; the next time tells.
    }
  }

  /**
   * Picks this ticker, and asks for its price where the page has none.
   *
   * Null where something else came between: another ticker, or this one being asked for already.
   * False where there is no such instrument. An answer that fails to come says nothing.
   */
  async pick(ticker: string): Promise<boolean | null> {
    if (ticker === this.ticker && this.#asking === ticker) return null;
    this.ticker = ticker;
    if (this.knows(ticker)) return true;
    this.#asking = ticker;
    this.#fetched = null;
    let exists = true;
    try {
      const patience = AbortSignal.timeout(PATIENCE);
      const row = await fetchPrice(ticker, patience);
      exists =
        row !== null ||
        (await searchInstruments(ticker, patience)).some((each) => each.ticker === ticker);
      if (this.ticker === ticker) this.#fetched = row;
    } catch {
      // Booking checks the ticker anyway.
    } finally {
      if (this.#asking === ticker) this.#asking = null;
    }
    return this.ticker === ticker ? exists : null;
  }
}
