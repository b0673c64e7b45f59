/**
 * Books rows as request groups, one after the other, each exactly once.
 *
 * A group keeps its UUID until it is known what became of it, so asking again after a lost answer
 * books nothing twice, also in a later run. A group is all or nothing: rows that the server refuses
 * are taken out, with its reasons, and the rest goes as a new group.
 */

import type { Group } from "../answers/trades";
import { type Asked, askedBy, type Complaint, inWords, Refused } from "../api/client";
import type { NewTrade, WithFees } from "../terms";
import { type BulkRow, toTrade } from "./rows";

export interface Progress {
  booked: number;
  rejected: number;
  groups: Group[];
  /** Rows whose outcome may be new. */
  rows: BulkRow[];
}

/** A group that was sent, and of which nobody knows yet whether it was booked. */
export interface Pending {
  group: string;
  rows: BulkRow[];
}

/**
 * The run stopped before its end. The next one goes on where it stopped, and must begin with
 * `pending`: its rows under another UUID could be booked twice.
 */
export class Interrupted extends Error {
  override name = "Interrupted";
  constructor(
    message: string,
    readonly pending: Pending | null = null,
  ) {
    super(message);
  }
}

/** A group about which the server asks: nothing of it is booked until that is confirmed. */
export interface AskedGroup extends Asked {
  group: string;
  rows: BulkRow[];
}

export type Send = (group: string, trades: (NewTrade & WithFees)[], confirm: string | null) => Promise<Group>;

const ATTEMPTS = 6;

export interface RunOptions {
  rows: readonly BulkRow[];
  /** What the run before left open: asked for first, as it was. */
  pending?: Pending | null;
  groupSize: number;
  send: Send;
  onprogress: (progress: Progress) => void;
  /** Without it a question counts as a refusal. */
  onasked?: (asked: AskedGroup) => void;
  /** What was asked before, and is confirmed. */
  confirmed?: readonly AskedGroup[];
  signal: AbortSignal;
  newGroup?: () => string;
  pause?: (attempt: number) => Promise<void>;
}

/** Raises Interrupted when it was stopped, or the server stays away. */
export async function runBulk(options: RunOptions): Promise<void> {
  const { rows, groupSize, signal, pending = null, confirmed = [] } = options;
  if (pending !== null) await bookGroup(pending.rows, options, pending.group);
  for (const each of confirmed) {
    if (signal.aborted) throw new Interrupted("Stopped.");
    await bookGroup(each.rows, options, each.group, each.confirm);
  }
  for (let start = 0; start < rows.length; start += groupSize) {
    if (signal.aborted) throw new Interrupted("Stopped.");
    await bookGroup(rows.slice(start, start + groupSize), options);
  }
}

/** `sent` is the UUID under which these rows have been sent before, with an unknown outcome. */
async function bookGroup(
  rows: BulkRow[],
  options: RunOptions,
  sent?: string,
  confirm: string | null = null,
): Promise<void> {
  let left = rows;
  let before = sent;
  let token = confirm;
  while (left.length > 0) {
    const group = before ?? (options.newGroup ?? uuid)();
    try {
      const booked = await insistently({ group, rows: left }, options, before !== undefined, token);
      left.forEach((row, index) => {
        row.outcome = "booked";
        row.problem = "";
        row.asked = "";
        row.request_group = booked.request_group;
        row.trade_id = booked.ids[index] ?? "";
      });
      options.onprogress({ booked: left.length, rejected: 0, groups: [booked], rows: left });
      return;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 401) throw new Interrupted(LOGGED_OUT);
      const asked = askedBy(error);
      if (asked !== null && options.onasked !== undefined) {
        const about = reasonsByRow(asked.complaints, left.length);
        left.forEach((row, index) => {
          row.outcome = "";
          row.asked = about.get(index) ?? "";
        });
        options.onasked({ ...asked, group, rows: left });
        options.onprogress({ booked: 0, rejected: 0, groups: [], rows: left });
        return;
      }
      const reasons = reasonsByRow(error.complaints, left.length);
      const refused = left.filter((_row, index) => reasons.has(index));
      // About the login or its page, and no row.
      const isOfARow = refused.length > 0 || error.complaints.some(({ code }) => code === "not_entitled");
      if (error.status === 403 && !isOfARow) throw new Interrupted(inWords(error));
      // Nothing says which rows it is about: it is about all of them.
      const bad = refused.length > 0 ? refused : left;
      left.forEach((row, index) => {
        row.outcome = "";
        if (!bad.includes(row)) return;
        row.outcome = "rejected";
        row.problem = reasons.get(index) ?? inWords(error);
      });
      options.onprogress({ booked: 0, rejected: bad.length, groups: [], rows: left });
      left = left.filter((row) => !bad.includes(row));
      before = undefined;
      // It was of all of them.
      token = null;
    }
  }
}

const LOGGED_OUT = "You are logged out. Log in again, then go on.";

/** The same group again until there is an answer. Raises Refused (nothing was booked) or Interrupted. */
async function insistently(
  pending: Pending,
  options: RunOptions,
  sentBefore: boolean,
  token: string | null,
): Promise<Group> {
  const trades = pending.rows.map(toTrade);
  const pause = options.pause ?? wait;
  let isOpen = sentBefore;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await options.send(pending.group, trades, token);
    } catch (error) {
      if (isDenied(error, isOpen)) throw error;
      isOpen = true;
      const isFinal = error instanceof Refused && error.status < 500;
      if (isFinal || attempt + 1 >= ATTEMPTS || options.signal.aborted) throw leftOpen(pending, options, error);
      await pause(attempt);
    }
  }
}

/**
 * Whether an error says that nothing was done. Of a request that is repeated because an earlier
 * answer was lost (`isOpen`), only the server's judgement of what was sent says so: that one is
 * logged out by now, or may no longer book, tells nothing of the first time.
 */
export function isDenied(error: unknown, isOpen: boolean): boolean {
  if (!(error instanceof Refused)) return false;
  return isOpen ? error.status === 400 || error.status === 409 : error.status < 500;
}

function leftOpen(pending: Pending, options: RunOptions, error: unknown): Interrupted {
  for (const row of pending.rows) row.outcome = "unknown";
  options.onprogress({ booked: 0, rejected: 0, groups: [], rows: pending.rows });
  const said = error instanceof Refused && error.status === 401 ? LOGGED_OUT : inWords(error);
  const rows = pending.rows.length.toLocaleString("en-GB");
  return new Interrupted(
    `${said} Whether ${rows} of the rows were booked is not known. Press again when the server is ` +
      "back: these are asked for first, and nothing is booked twice.",
    pending,
  );
}

/** The server's complaints of `trades.<row>.<field>`, one sentence a row. */
export function reasonsByRow(found: readonly Complaint[], rows: number): Map<number, string> {
  const reasons = new Map<number, string>();
  for (const { attr, detail } of found) {
    const parts = /^trades\.(\d+)(?:\.(\w+))?/.exec(attr ?? "");
    if (parts === null) continue;
    const row = Number(parts[1]);
    if (row >= rows) continue;
    const said = parts[2] === undefined ? detail : `${parts[2].replaceAll("_", " ")}: ${detail}`;
    reasons.set(row, reasons.has(row) ? `${reasons.get(row)} ${said}` : said);
  }
  return reasons;
}

function wait(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** attempt, 8_000)));
}

/** A random UUID (version 4). `crypto.randomUUID` exists only over HTTPS and on the machine itself. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
