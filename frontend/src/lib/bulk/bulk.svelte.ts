/**
 * The rows of the bulk booking page and what is done with them. It lives as long as the document,
 * so that a booking goes on while its user looks at another page.
 */

import type { Group } from "../answers/trades";
import { bulkBook, generateTrades } from "../api/bulk";
import { inWords } from "../api/client";
import { cancelTrade } from "../api/trades";
import { type BulkRow, blankRow, type Known, problemOf, ROW_STATES, type RowState, stateOf, wrongIn } from "./rows";
import { type AskedGroup, Interrupted, type Pending, runBulk, uuid } from "./run";

export type Doing = "nothing" | "generating" | "booking" | "uploading" | "undoing";

/** Rows for the workers. The id makes handing them over again safe: they are taken once. */
export interface Handing {
  id: string;
  rows: BulkRow[];
  name: string;
  groupSize: number;
}

/** What became of it. After `unknown` the workers may have it or not. */
export type Handed = "accepted" | "refused" | "unknown";

/** What the grid is told: rows came, changed or went. */
export interface BulkChange {
  add?: BulkRow[];
  update?: BulkRow[];
  remove?: BulkRow[];
  cleared?: boolean;
  /** The added rows are to be typed into. */
  begin?: boolean;
}

type Counts = Readonly<Record<RowState, number>>;
const NO_ROWS = Object.fromEntries(ROW_STATES.map((state) => [state, 0])) as Counts;

const GENERATED_AT_ONCE = 10_000;
const UNDONE_AT_ONCE = 4;

export class Bulk {
  doing = $state<Doing>("nothing");
  /** How many rows are what; each counts once. */
  counts = $state.raw(NO_ROWS);
  /** How many rows the booking under way began with, and when (local ms). */
  target = $state(0);
  done = $state(0);
  startedAt = $state(0);
  endedAt = $state(0);
  groups = $state.raw<Group[]>([]);
  /** What was sent, and of which it is not known whether it was booked: settled before all else. */
  pending = $state.raw<Pending | null>(null);
  handing = $state.raw<Handing | null>(null);
  /** Groups about which the server asks: one confirmation is for all of them. */
  asked = $state.raw<AskedGroup[]>([]);
  problem = $state<string | null>(null);
  source = $state<string | null>(null);

  // The grid is told of changes; nothing else follows the rows.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  rows = new Map<number, BulkRow>();
  /** As what each row counts. */
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  #counted = new Map<number, RowState>();
  #next = 1;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  #listeners = new Set<(change: BulkChange) => void>();
  #stop: AbortController | null = null;

  get busy(): boolean {
    return this.doing !== "nothing";
  }

  /** Whether the rows must stay as they are: they are worked at, or some of them may be booked. */
  get locked(): boolean {
    return this.busy || this.pending !== null || this.handing !== null;
  }

  /** Whether something would be lost if its user left: the rest, or what is known of it. */
  get unfinished(): boolean {
    return this.locked && this.doing !== "generating";
  }

  /** Rows on the page that a reload would drop. */
  get wouldLose(): boolean {
    // What is typed comes back after a reload.
    return this.unfinished || (this.source !== "typed" && this.bookable + this.counts.invalid > 0);
  }

  /** Rows that are valid and have no outcome that is known. */
  get bookable(): number {
    return this.counts.ready + this.counts.check + this.counts.unknown;
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  onChange(listener: (change: BulkChange) => void): () => void {
    this.#listeners.add(listener);
    if (this.rows.size > 0) listener({ add: [...this.rows.values()] });
    return () => this.#listeners.delete(listener);
  }

  #tell(change: BulkChange): void {
    this.#count(change);
    for (const listener of this.#listeners) listener(change);
  }

  /** Counts what came, changed or went. */
  #count({ add = [], update = [], remove = [], cleared }: BulkChange): void {
    const counts: Record<RowState, number> = { ...(cleared === true ? NO_ROWS : this.counts) };
    if (cleared === true) this.#counted.clear();
    for (const row of [...add, ...update, ...remove]) {
      const was = this.#counted.get(row.n);
      if (was !== undefined) counts[was] -= 1;
      this.#counted.delete(row.n);
      if (!this.rows.has(row.n)) continue;
      const state = stateOf(row);
      counts[state] += 1;
      this.#counted.set(row.n, state);
    }
    this.counts = counts;
  }

  /** The place of the next row. */
  get next(): number {
    return this.#next;
  }

  /** Cells of these rows were changed: what is wrong with them is told anew. */
  recheck(rows: readonly BulkRow[], known: Known): void {
    if (rows.length === 0) return;
    this.forgetAsked();
    for (const row of rows) {
      row.wrong = wrongIn(row, known);
      row.problem = Object.values(row.wrong).join(" ");
    }
    this.#tell({ update: [...rows] });
  }

  add(rows: BulkRow[], begin = false): void {
    for (const row of rows) this.rows.set(row.n, row);
    this.#next = Math.max(this.#next, ...rows.map((row) => row.n + 1));
    this.#tell({ add: rows, begin });
  }

  clear(): void {
    if (this.locked) return;
    this.rows.clear();
    this.#next = 1;
    this.target = this.done = 0;
    this.groups = [];
    this.asked = [];
    this.problem = this.source = null;
    this.#tell({ cleared: true });
  }

  remove(rows: readonly BulkRow[]): void {
    if (this.locked) return;
    this.forgetAsked();
    const gone = rows.filter((row) => row.outcome === "" && this.rows.delete(row.n));
    this.#tell({ remove: gone });
  }

  async generate(accounts: string[], count: number, tickers: string[], known: Known): Promise<void> {
    if (this.locked) return;
    this.clear();
    this.doing = "generating";
    this.source = "generated";
    try {
      for (let left = count; left > 0; left -= GENERATED_AT_ONCE) {
        const made = await generateTrades(accounts, Math.min(left, GENERATED_AT_ONCE), tickers);
        const rows = made.map((trade, index) => ({ ...blankRow(this.#next + index), ...trade }));
        for (const row of rows) row.problem = problemOf(row, known);
        for (let start = 0; start < rows.length; start += 1_000) {
          this.add(rows.slice(start, start + 1_000));
          // Lets the page draw and answer between pieces.
          await new Promise((resolve) => setTimeout(resolve));
        }
      }
    } catch (error) {
      this.problem = inWords(error);
    }
    this.doing = "nothing";
  }

  stop(): void {
    this.#stop?.abort();
  }

  /** Rows that are valid and have not been sent. */
  ready(): BulkRow[] {
    return [...this.rows.values()].filter((row) => row.problem === "" && row.outcome === "");
  }

  /** The question is not answered: its rows are as ready as the others. */
  forgetAsked(): void {
    const rows = this.asked.flatMap((each) => each.rows);
    for (const row of rows) row.asked = "";
    this.asked = [];
    if (rows.length > 0) this.#tell({ update: rows });
  }

  /** Books all rows that are ready, after what was left open. */
  async book(groupSize: number, confirmed: readonly AskedGroup[] = []): Promise<void> {
    const { pending } = this;
    const rows = confirmed.length > 0 ? [] : this.ready();
    if (this.busy || this.handing !== null) return;
    if (rows.length === 0 && confirmed.length === 0 && pending === null) return;
    this.forgetAsked();
    this.doing = "booking";
    this.problem = null;
    const again = confirmed.reduce((count, { rows: some }) => count + some.length, 0);
    this.target = rows.length + again + (pending?.rows.length ?? 0);
    this.done = 0;
    this.startedAt = Date.now();
    this.#stop = new AbortController();
    try {
      await runBulk({
        rows,
        pending,
        groupSize,
        signal: this.#stop.signal,
        send: bulkBook,
        confirmed,
        onasked: (asked) => (this.asked = [...this.asked, asked]),
        onprogress: (news) => {
          this.done += news.booked + news.rejected;
          if (news.groups.length > 0) this.groups = [...this.groups, ...news.groups];
          this.#tell({ update: news.rows });
        },
      });
      this.pending = null;
    } catch (error) {
      if (error instanceof Interrupted) this.pending = error.pending;
      this.problem = inWords(error);
    }
    this.endedAt = Date.now();
    this.doing = "nothing";
  }

  /**
   * Hands the rows that are ready to the workers; accepted, they leave the page. When it is not
   * known whether they were, the next call hands over the same, under the same id.
   */
  async hand(groupSize: number, upload: (handing: Handing) => Promise<Handed>): Promise<void> {
    if (this.busy || this.pending !== null) return;
    const name = this.source ?? "rows.csv";
    const handing = this.handing ?? { id: uuid(), rows: this.ready(), name, groupSize };
    if (handing.rows.length === 0) return;
    this.doing = "uploading";
    this.problem = null;
    const handed = await upload(handing);
    this.doing = "nothing";
    this.handing = handed === "unknown" ? handing : null;
    for (const row of handing.rows) row.outcome = handed === "unknown" ? "unknown" : "";
    if (handed === "accepted") this.remove(handing.rows);
    else this.#tell({ update: handing.rows });
    if (handed === "unknown")
      this.problem = "Whether the file was accepted is not known. Upload it again: it is taken once.";
  }

  /** Cancels every trade of this batch, each as a version with the reason. */
  async undo(reason: string): Promise<void> {
    const rows = [...this.rows.values()].filter((row) => row.outcome === "booked");
    if (this.locked || rows.length === 0) return;
    this.doing = "undoing";
    this.problem = null;
    this.target = rows.length;
    this.done = 0;
    this.startedAt = Date.now();
    this.#stop = new AbortController();
    const signal = this.#stop.signal;
    const failed: string[] = [];
    // The last booked first: what was bought before it was sold can be taken back only then.
    const queue = rows.toReversed();
    const work = async (): Promise<void> => {
      for (let row = queue.shift(); row !== undefined && !signal.aborted; row = queue.shift()) {
        try {
          await cancelTrade(row.trade_id, 1, reason);
          row.outcome = "undone";
        } catch (error) {
          row.problem = inWords(error);
          failed.push(row.problem);
        }
        this.done += 1;
        this.#tell({ update: [row] });
      }
    };
    await Promise.all(Array.from({ length: UNDONE_AT_ONCE }, work));
    if (failed.length > 0)
      this.problem = `${failed.length} could not be undone. The first: ${failed[0]}`;
    this.endedAt = Date.now();
    this.doing = "nothing";
  }
}

export const bulk = new Bulk();
