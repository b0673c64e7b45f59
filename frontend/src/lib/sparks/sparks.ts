/**
 * The day's recorded prices of what a grid lists, for its small lines: asked for when rows are there,
 * for names that came since, and every few minutes. Between, the price in a row goes on with its line,
 * so no tick asks for anything.
 */

import type { Market } from "../answers/desk";
import { fetchLines } from "../api/prices";
import type { DayLine, Span, Tip } from "./spark";

/** Between two readings of the server's lines, in ms: half of what one of their points stands for. */
const EVERY = 300_000;
/** After a failure, in ms. */
const AGAIN = 30_000;
/** Names that came are collected for so long, in ms. */
const SOON = 1_000;
/** With more names than this all are asked for: an address has its limits. */
const MOST_NAMED = 100;
const MINUTE = 60_000;
/** The exchange's usual hours in minutes, until they are known. */
const USUAL: Span = { from: 570, to: 960 };

export interface Quoted {
  ticker: string;
  price: Tip["price"];
  previous_close: Tip["previousClose"];
}

export class Sparks {
  span: Span = USUAL;
  #lines: ReadonlyMap<string, DayLine> = new Map();
  #startsAt: number | null = null;
  /** Names that were asked for, whether they had a line or not. */
  #asked: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller: AbortController | null = null;
  #due = Number.POSITIVE_INFINITY;

  /** `market` says when the exchange is open, as far as that is known. */
  constructor(
    private readonly market: () => Market | null,
    private readonly changed: () => void,
  ) {}

  lineOf(ticker: string): DayLine | undefined {
    return this.#lines.get(ticker);
  }

  tipOf(row: Quoted, asOf: string | null): Tip {
    const at = asOf === null ? Number.NaN : Date.parse(asOf);
    const minute = this.#startsAt === null || !(at >= this.#startsAt) ? null : (at - this.#startsAt) / MINUTE;
    return { price: row.price, minute, previousClose: row.previous_close };
  }

  /** These are listed now. */
  show(tickers: Iterable<string>): void {
    const wanted = new Set(tickers);
    const isFurther = [...wanted].some((ticker) => !this.#asked.has(ticker));
    this.#asked = wanted.size === 0 ? this.#asked : new Set([...this.#asked, ...wanted]);
    if (isFurther) this.#askIn(SOON);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#controller?.abort();
  }

  #askIn(wait: number): void {
    const due = performance.now() + wait;
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), wait);
  }

  async #ask(): Promise<void> {
    this.#due = Number.POSITIVE_INFINITY;
    if (document.visibilityState === "hidden") return this.#askIn(AGAIN);
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    try {
      const names = this.#asked.size > MOST_NAMED ? null : [...this.#asked];
      const { startsAt, lines } = await fetchLines(names, controller.signal);
      this.#startsAt = startsAt;
      this.#lines = lines;
      this.span = this.#spanOf(lines);
      this.changed();
      this.#askIn(EVERY);
    } catch {
      // What was known stays: a line is an extra, and the page says elsewhere that the server is away.
      if (!controller.signal.aborted) this.#askIn(AGAIN);
    }
  }

  /** The session, and what was recorded outside of it. */
  #spanOf(lines: ReadonlyMap<string, DayLine>): Span {
    const market = this.market();
    const minute = (iso: string): number => (Date.parse(iso) - (this.#startsAt ?? 0)) / MINUTE;
    const session = market === null ? USUAL : { from: minute(market.opens_at), to: minute(market.closes_at) };
    const firsts = [...lines.values()].flatMap(({ minutes }) => minutes.at(0) ?? []);
    const lasts = [...lines.values()].flatMap(({ minutes }) => minutes.at(-1) ?? []);
    return {
      from: firsts.reduce((least, each) => Math.min(least, each), session.from),
      to: lasts.reduce((most, each) => Math.max(most, each), session.to),
    };
  }
}
