/** Exceptions of a session, for who reviews them; how many are open is told on every page. */

import { fetchExceptions } from "./api/exceptions";

/** What middle office calls each kind, and what it is. In the order of the server's list. */
export const KINDS = {
  breach: { name: "Limits", about: "warned of or exceeded" },
  off_market: { name: "Off market", about: "far from the mark, or from that date's close" },
  duplicate: { name: "Duplicates", about: "the same again within minutes" },
  late: { name: "Late", about: "booked after the trade date" },
  amended: { name: "Amended and cancelled", about: "versions of this session" },
  override: { name: "Prices by hand", about: "overrides that count, and closes" },
  partial: { name: "Partial figures", about: "rows without valid P&L" },
  held: { name: "Held rows", about: "of files, to be booked or dropped" },
  rejected: { name: "Rejected rows", about: "of files" },
} as const satisfies Record<string, { name: string; about: string }>;

export type Kind = keyof typeof KINDS;

/** How often a page asks how many are open, in ms. */
const EVERY = 60_000;

/** Of the business date. */
class OpenExceptions {
  /** Null until it is known. */
  count = $state<number | null>(null);

  heard(open: Record<string, number>): void {
    this.count = Object.values(open).reduce((sum, each) => sum + each, 0);
  }

  async load(): Promise<void> {
    try {
      this.heard((await fetchExceptions({ reviewed: false, page_size: 1 })).open);
    } catch {
      // The next time; the page says elsewhere that the server is away.
    }
  }

  start(): () => void {
    void this.load();
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void this.load();
    }, EVERY);
    return () => clearInterval(timer);
  }
}

export const openExceptions = new OpenExceptions();
