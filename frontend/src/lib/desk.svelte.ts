/** What every page shares: who is asking, the accounts, which are watched, and the live rows. */

import { getContext, setContext } from "svelte";

import type { Account, Boot, Market } from "./answers/desk";
import { fetchAccounts } from "./api/accounts";
import { Refused } from "./api/client";
import { fetchMarket } from "./api/prices";
import { keepFor } from "./kept";
import { delay } from "./live/backoff";
import { LiveBlotter } from "./live/store.svelte";
import { tickerAt } from "./peek.svelte";
import { chosenCodes, loadSelection, saveSelection, type Selection } from "./selection";

/** Addresses that only the server knows. */
export interface Places {
  login: string;
  logout: string;
  password: string;
  tokens: string;
  secondFactor: string;
  admin: string;
  docs: string;
}

const MARKET_EVERY = 30_000;
/** The server refuses a subscription to more. */
const MOST_WATCHED = 500;

export class Desk {
  /** Null until they are known. */
  accounts = $state.raw<Account[] | null>(null);
  selection = $state.raw<Selection>("all");
  market = $state.raw<Market | null>(null);
  readonly live: LiveBlotter;

  readonly #chosen = $derived(chosenCodes(this.selection, this.accounts ?? []));
  readonly watched = $derived(this.#chosen.slice(0, MOST_WATCHED));
  /** So many chosen accounts are beyond what one page can watch. */
  readonly unwatched = $derived(this.#chosen.length - this.watched.length);
  readonly bookable = $derived((this.accounts ?? []).filter((account) => account.can_book));
  /** A string, so that an equal list fetched again is no change and asks for no new snapshot. */
  readonly watchedKey = $derived(this.accounts === null ? null : this.watched.join("\n"));

  constructor(
    readonly boot: Boot,
    readonly places: Places,
  ) {
    keepFor(boot.user);
    this.selection = loadSelection();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.live = new LiveBlotter(
      `${scheme}://${location.host}/ws/v1/blotter/`,
      (fresh) => (this.accounts = fresh),
      // A window that one of ours opened for an instrument is told by that one.
      { user: boot.user, asGuest: tickerAt(location.pathname) !== null && window.opener !== null },
    );
  }

  get hasAccounts(): boolean {
    return this.accounts === null || this.accounts.length > 0;
  }

  /** False while what is on the screen may no longer be so. */
  get isCurrent(): boolean {
    return this.live.phase === "live";
  }

  account(code: string): Account | undefined {
    return this.accounts?.find((account) => account.code === code);
  }

  select(chosen: Selection): void {
    this.selection = chosen;
    saveSelection(chosen);
  }

  start(): () => void {
    const stop = this.live.start();
    void this.#loadAccounts(0);
    void this.loadMarket();
    const timer = setInterval(() => void this.loadMarket(), MARKET_EVERY);
    return () => {
      clearInterval(timer);
      stop();
    };
  }

  async loadMarket(): Promise<void> {
    try {
      this.market = await fetchMarket();
    } catch (error) {
      // The last known clock stays; the connection state says that the server is away.
      if (error instanceof Refused && error.status === 401) this.live.signOut();
    }
  }

  async #loadAccounts(attempt: number): Promise<void> {
    try {
      this.accounts = await fetchAccounts();
    } catch {
      setTimeout(() => void this.#loadAccounts(attempt + 1), delay(attempt, Math.random()));
    }
  }
}

const KEY = Symbol("desk");

export function provideDesk(desk: Desk): void {
  setContext(KEY, desk);
}

export function useDesk(): Desk {
  return getContext<Desk>(KEY);
}
