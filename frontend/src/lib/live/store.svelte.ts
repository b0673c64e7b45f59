/**
 * The blotter's live data, for components: a socket, the reducer and what the screen follows.
 *
 * Rows are `$state.raw`: they change by replacement, and a deep proxy over thousands of rows
 * would cost more than the whole update.
 */

import { InvalidMessage } from "../answers/base";
import type { Account } from "../answers/desk";
import type { ErrorMessage, ServerMessage } from "../answers/live";
import { fetchAccounts } from "../api/accounts";
import { Refused } from "../api/client";
import { delay } from "./backoff";
import { type Change, emptyState, type LiveState, receive, reconnected } from "./connection";
import { MessageReader } from "./reader";
import { Guest, Host } from "./shared";
import { LastingSocket } from "./socket";

export type Phase =
  | "connecting"
  | "live"
  | "quiet"
  | "syncing"
  | "lost"
  | "refused"
  | "signed-out";

export type ChangeListener = (change: Change, state: LiveState) => void;

/** A snapshot asked for after a gap comes at once; a broken server must not be hammered. */
const RESUBSCRIBE_PAUSE = 1_000;

/** So many trades are watched; older ones are asked for when somebody looks for them. */
const WINDOW = 2_000;

export class LiveBlotter {
  state = $state.raw<LiveState>(emptyState);
  phase = $state<Phase>("connecting");
  /** Local time in ms of the last message; null before the first. */
  lastMessageAt = $state<number | null>(null);
  retryAt = $state<number | null>(null);
  /** Why the server refuses, in its words, or what was wrong with its message. */
  problem = $state<string | null>(null);

  /** Null until it is known what may be watched. */
  #accounts: readonly string[] | null = null;
  // Nothing on screen follows who listens, so it need not be reactive.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  #listeners = new Set<ChangeListener>();
  #socket: LastingSocket;
  #reader = new MessageReader((message) => this.#received(message));
  #lastResubscribe = 0;
  #pending: ReturnType<typeof setTimeout> | undefined;
  #asking: ReturnType<typeof setTimeout> | undefined;

  /** Whether another window's connection serves this one. */
  isServed = $state(false);

  /** Told by another window, instead of a connection of its own. */
  #guest: Guest | null = null;
  #host: Host | null = null;

  /** `shares` names the user with whose other windows this one shares a connection: it serves them,
   * or as a guest is served. */
  constructor(
    address: string,
    private readonly onAccounts: (accounts: Account[]) => void,
    shares: { user: string; asGuest: boolean } | null = null,
  ) {
    if (shares?.asGuest === true)
      this.#guest = new Guest(
        shares.user,
        (message) => {
          this.lastMessageAt = Date.now();
          this.isServed = true;
          this.#received(message);
        },
        () => this.#goAlone(),
      );
    else if (shares !== null)
      this.#host = new Host(shares.user, () => (this.phase === "live" && this.state.inStep ? this.state : null));
    this.#socket = new LastingSocket(address, {
      opened: () => {
        this.#reader.reset();
        this.state = reconnected(this.state);
        this.phase = "syncing";
        this.retryAt = null;
        this.#subscribe();
      },
      received: (text) => {
        // Also while a large one is being read: the connection lives.
        this.lastMessageAt = Date.now();
        if (this.phase === "quiet") this.phase = "live";
        this.#reader.read(text);
      },
      lost: (retryAt) => {
        this.#host?.end();
        if (this.phase === "signed-out") return;
        this.phase = "lost";
        this.retryAt = retryAt;
        void this.#checkAccess();
      },
      quiet: () => {
        this.#host?.end();
        if (this.phase === "live") this.phase = "quiet";
      },
      probe: () => this.#subscribe(),
    });
  }

  start(): () => void {
    const hurry = (): void => {
      if (document.visibilityState === "visible" && this.#guest === null) this.#socket.hurry();
    };
    const interrupt = (): void => this.#socket.interrupt();
    addEventListener("online", hurry);
    addEventListener("offline", interrupt);
    document.addEventListener("visibilitychange", hurry);
    const leave = (): void => this.#host?.end();
    addEventListener("pagehide", leave);
    if (this.#guest === null) this.#socket.connect();
    return () => {
      removeEventListener("pagehide", leave);
      this.#host?.close();
      this.#guest?.close();
      removeEventListener("online", hurry);
      removeEventListener("offline", interrupt);
      document.removeEventListener("visibilitychange", hurry);
      clearTimeout(this.#pending);
      clearTimeout(this.#asking);
      this.#socket.close();
      this.#reader.reset();
    };
  }

  /**
   * Replaces what is watched. Old rows stay on screen until the snapshot arrives; until then the
   * phase says that they are not yet what was asked for.
   */
  watch(accounts: readonly string[]): void {
    this.#accounts = accounts;
    if ((this.phase === "live" || this.phase === "quiet") && !this.#isOfWatched())
      this.phase = "syncing";
    this.#subscribe();
  }

  /** Calls back on each change of rows, and once now if there are rows; returns how to stop. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    if (this.state.businessDate !== null) listener({ kind: "snapshot" }, this.state);
    return () => this.#listeners.delete(listener);
  }

  #isOfWatched(): boolean {
    const { accounts } = this.state;
    return (
      this.#accounts?.length === accounts.size && this.#accounts.every((code) => accounts.has(code))
    );
  }

  /** What is on screen is old until the own connection brings a snapshot. */
  #goAlone(): void {
    this.#guest = null;
    this.isServed = false;
    this.state = reconnected(this.state);
    if (this.phase === "live" || this.phase === "quiet") this.phase = "syncing";
    this.#socket.connect();
  }

  #subscribe(): void {
    if (this.#accounts !== null && this.#guest !== null) this.#guest.ask(this.#accounts);
    else if (this.#accounts !== null)
      this.#socket.send({ type: "subscribe", accounts: this.#accounts, trades: WINDOW, prices: "none" });
  }

  #resubscribeSoon(): void {
    clearTimeout(this.#pending);
    const wait = Math.max(0, this.#lastResubscribe + RESUBSCRIBE_PAUSE - Date.now());
    this.#pending = setTimeout(() => {
      this.#lastResubscribe = Date.now();
      this.#subscribe();
    }, wait);
  }

  #received(message: ServerMessage | InvalidMessage): void {
    let change: Change;
    if (message instanceof InvalidMessage) {
      // What it would have changed is unknown, so it counts as a gap.
      this.problem = `The server sent something unreadable (${message.message}).`;
      this.state = { ...this.state, inStep: false };
      change = { kind: "gap" };
    } else {
      const received = receive(this.state, message, Date.now());
      this.state = received.state;
      change = received.change;
    }
    switch (change.kind) {
      case "snapshot":
        this.problem = null;
        // It may answer an earlier subscription; the one to the last is then on its way.
        this.phase = this.#isOfWatched() ? "live" : "syncing";
        break;
      case "gap":
        this.phase = "syncing";
        this.#resubscribeSoon();
        break;
      case "refused":
        this.#refused(change.error);
        break;
    }
    for (const listener of this.#listeners) listener(change, this.state);
    if (!(message instanceof InvalidMessage)) this.#host?.handOn(message);
  }

  /** Entitlements changed under the page: what may be watched now is asked for again. */
  #refused(error: ErrorMessage): void {
    this.problem = error.detail;
    this.phase = "refused";
    void this.#checkAccess();
  }

  /**
   * Tells a lost server from an ended session, which no reconnecting will mend. A refused page
   * gets on only by the answer, so it goes on asking; a lost one asks at its next loss.
   */
  async #checkAccess(attempt = 0): Promise<void> {
    try {
      this.onAccounts(await fetchAccounts());
    } catch (error) {
      if (error instanceof Refused && (error.status === 401 || error.status === 403)) this.signOut();
      else if (this.phase === "refused" || this.phase === "syncing") {
        clearTimeout(this.#asking);
        const wait = delay(attempt, Math.random());
        this.#asking = setTimeout(() => void this.#checkAccess(attempt + 1), wait);
      }
    }
  }

  /** The session has ended: what is shown stays as it is. */
  signOut(): void {
    this.phase = "signed-out";
    this.#host?.end();
    clearTimeout(this.#asking);
    this.#socket.close();
  }
}
