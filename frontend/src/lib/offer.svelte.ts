/** The price that a ticket offers for its ticker: the live one, else one that is asked for. */

import { fetchPrice, searchInstruments } from "./api/prices";
import type { PriceRow } from "./types";

/** How long a price is waited for, in ms; without one it can be typed. */
const PATIENCE = 5_000;

export class PriceOffer {
  /** The ticker that was picked last; empty before the first. */
  ticker = $state("");
  #fetched = $state.raw<PriceRow | null>(null);
  #asking: string | null = null;

  constructor(private readonly live: () => ReadonlyMap<string, PriceRow>) {}

  /** Null without a price. */
  readonly offered = $derived.by(() => {
    const fetched = this.#fetched?.ticker === this.ticker ? this.#fetched : null;
    const row = this.live().get(this.ticker) ?? fetched;
    if (row === null || row.price === null) return null;
    return { price: row.price, word: row.override ? "override" : row.stale ? "stale" : "live" };
  });

  /** Whether nothing of this ticker need be asked for. */
  knows(ticker: string): boolean {
    return this.live().has(ticker);
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
