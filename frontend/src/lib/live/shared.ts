/**
 * One websocket for several windows: a window of an instrument is told by the one that opened it.
 *
 * The host hands on each message that it has read and checked. A guest begins with a snapshot of
 * what the host knows, and then has the host's updates in the host's numbering, so that one that is
 * lost is a gap as any other. A guest never waits for a host: none that answers at once, one that
 * watches other accounts, that is not live itself, that goes, or that says nothing for as long as a
 * server may be silent, and it opens a connection of its own.
 */

import type { ServerMessage, SnapshotMessage } from "../answers/live";
import type { LiveState } from "./connection";

/** How long an answer of a host is waited for, and its silence is borne, in ms. */
const ANSWER = 500;
const SILENCE = 5_000;

type Told =
  | { kind: "wanted"; guest: string; user: string; accounts: readonly string[] }
  | { kind: "begun"; guest: string; host: string; message: SnapshotMessage }
  | { kind: "went-on"; host: string; message: ServerMessage }
  | { kind: "ended"; host: string };

const CHANNEL = "eqtrade.live";

const newName = (): string => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

/** What is known as the message that would bring it. */
export function snapshotOf(state: LiveState): SnapshotMessage {
  return {
    type: "snapshot",
    seq: state.seq,
    business_date: state.businessDate ?? "",
    price_source: state.priceSource ?? "",
    accounts: [...state.accounts],
    positions: [...state.positions.values()],
    trades: [...state.trades.values()],
    totals: [...state.totals.values()],
    prices: [...state.prices.values()],
    trades_total: Object.fromEntries(state.tradesTotal),
  };
}

const sameAccounts = (left: readonly string[], right: ReadonlySet<string>): boolean =>
  left.length === right.size && left.every((code) => right.has(code));

/** Serves guests of the same user with what this window is told. */
export class Host {
  readonly #name = newName();
  readonly #channel = new BroadcastChannel(CHANNEL);
  #hasGuests = false;

  /** `current` is what is known while it is live; null else. */
  constructor(user: string, current: () => LiveState | null) {
    this.#channel.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.kind !== "wanted" || data.user !== user) return;
      const state = current();
      if (state === null || !sameAccounts(data.accounts, state.accounts)) return;
      this.#hasGuests = true;
      this.#tell({ kind: "begun", guest: data.guest, host: this.#name, message: snapshotOf(state) });
    };
  }

  /** Hands a message on that this window has applied. */
  handOn(message: ServerMessage): void {
    // What the server refuses this window is its own business.
    if (this.#hasGuests && message.type !== "error") this.#tell({ kind: "went-on", host: this.#name, message });
  }

  /** This window is live no more: its guests help themselves. */
  end(): void {
    if (this.#hasGuests) this.#tell({ kind: "ended", host: this.#name });
    this.#hasGuests = false;
  }

  close(): void {
    this.end();
    this.#channel.close();
  }

  #tell(told: Told): void {
    this.#channel.postMessage(told);
  }
}

/** Is told by a host for as long as there is one; then calls `alone`, once. */
export class Guest {
  readonly #name = newName();
  readonly #channel = new BroadcastChannel(CHANNEL);
  #host: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #accounts: readonly string[] = [];

  constructor(
    private readonly user: string,
    private readonly received: (message: ServerMessage) => void,
    private readonly alone: () => void,
  ) {
    this.#channel.onmessage = ({ data }: MessageEvent<Told>) => this.#heard(data);
  }

  /** Asks for what is known of these accounts; also again, after a gap. */
  ask(accounts: readonly string[]): void {
    this.#accounts = accounts;
    this.#host = null;
    this.#wait(ANSWER);
    this.#channel.postMessage({ kind: "wanted", guest: this.#name, user: this.user, accounts: [...accounts] } satisfies Told);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#channel.close();
    this.#host = null;
  }

  #heard(told: Told): void {
    if (told.kind === "begun" && told.guest === this.#name && this.#host === null) {
      this.#host = told.host;
      this.#wait(SILENCE);
      this.received(told.message);
    } else if (told.kind === "went-on" && told.host === this.#host) {
      // The host turned to other accounts.
      if (told.message.type === "snapshot" && !sameAccounts(this.#accounts, new Set(told.message.accounts))) this.#leave();
      else {
        this.#wait(SILENCE);
        this.received(told.message);
      }
    } else if (told.kind === "ended" && told.host === this.#host) this.#leave();
  }

  #wait(patience: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#leave(), patience);
  }

  #leave(): void {
    this.close();
    this.alone();
  }
}
