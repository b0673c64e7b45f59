/** Words and times for the screen. */

import type { TradeRow } from "./answers/trades";
import * as money from "./money";
import { termNamed, type TermName } from "./terms";

const REASONS: Record<string, string> = {
  no_mark: "No price",
  no_previous_close: "No close",
  stale: "Stale",
  price_doubtful: "Doubtful",
  carried: "Carried",
  settling: "Settling",
};

const EXPLANATIONS: Record<string, string> = {
  no_mark: "There is no price to value this position with; figures that need one are n/a.",
  no_previous_close: "There is no close of the session before; figures that need one are n/a.",
  stale: "The price is older than it should be while the exchange is open.",
  price_doubtful: "A price is held back until somebody decides; the last good one is used meanwhile.",
  carried: "The exchange gave no close for this name; its last one is used.",
  settling: "Quantity and P&L are catching up with each other.",
};

const MARKS: Record<string, { badge: string; meaning: string }> = {
  override: { badge: "OVR", meaning: "Set by hand: it beats the market price until it expires" },
  close: { badge: "CLS", meaning: "The official closing price" },
  carried: { badge: "CAR", meaning: "An earlier close, carried forward" },
  previous_close: { badge: "PRV", meaning: "No price today: the close of the session before" },
};

export function reason(code: string | null): string {
  return code === null || code === "" ? "Not valid" : (REASONS[code] ?? code.replaceAll("_", " "));
}

export function explanation(code: string | null): string {
  return EXPLANATIONS[code ?? ""] ?? "These figures are not valid.";
}

/** What to say of a mark that is no live quote; null for a live quote. */
export function markBadge(source: string | null): { badge: string; meaning: string } | null {
  return MARKS[source ?? ""] ?? null;
}

/** The exchange's clock: one trade reads the same to everybody, wherever they are. */
const ZONE = { timeZone: "America/New_York" } as const;
const CLOCK_PARTS = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
const CLOCK = new Intl.DateTimeFormat("en-GB", { ...ZONE, ...CLOCK_PARTS });
const DAY = new Intl.DateTimeFormat("en-GB", { ...ZONE, day: "2-digit", month: "short" });
const DATE = new Intl.DateTimeFormat("en-CA", ZONE);
const IN_FULL = { day: "numeric", month: "short", year: "numeric", ...CLOCK_PARTS } as const;
const IN_NEW_YORK = new Intl.DateTimeFormat("en-GB", { ...ZONE, ...IN_FULL });
const HERE = new Intl.DateTimeFormat("en-GB", { ...IN_FULL, timeZoneName: "short" });
const SHORT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const CALENDAR = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});

/**
 * New York's time, for a column whose heading says so: "14:02:11" today, "20 Nov 14:02" on another
 * day.
 */
export function time(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const clock = CLOCK.format(at);
  if (DATE.format(at) === DATE.format(now)) return clock;
  return `${DAY.format(at)} ${clock.slice(0, 5)}`;
}

/** The same within a sentence, which has no heading. */
export function timeSaid(iso: string, now: Date): string {
  return Number.isNaN(Date.parse(iso)) ? iso : `${time(iso, now)} New York`;
}

/** For who points at a time: in full, and what the reader's own clock showed. */
export function bothTimes(iso: string | null | undefined): string {
  const at = new Date(iso ?? "");
  if (Number.isNaN(at.getTime())) return iso ?? "";
  return `${IN_NEW_YORK.format(at)} New York; ${HERE.format(at)} on your clock`;
}

/** When a trade was executed, where somebody said so: "no time" where only the day is known. */
export function executed(
  trade: Pick<TradeRow, "executed_at" | "executed_at_known">,
  now: Date,
): string {
  return trade.executed_at_known ? time(trade.executed_at, now) : "no time";
}

const NEW_YORK = { timeZone: "America/New_York", hour: "2-digit", minute: "2-digit" } as const;
const NEW_YORK_TIME = new Intl.DateTimeFormat("en-GB", NEW_YORK);
const NEW_YORK_DAY = new Intl.DateTimeFormat("en-GB", { ...NEW_YORK, weekday: "short" });

/** The exchange's local time: "16:00", or with the day "Mon 09:30". */
export function newYorkTime(iso: string, withDay = false): string {
  return (withDay ? NEW_YORK_DAY : NEW_YORK_TIME).format(new Date(iso)).replace(",", "");
}

/** "2026-11-20" as "Fri, 20 Nov 2026", whatever the reader's timezone. */
export function calendarDate(iso: string): string {
  return CALENDAR.format(new Date(`${iso}T00:00:00Z`));
}

/** An age in milliseconds, as coarse as a reader needs it. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** "Booked", and from the second version on which one it is: "Amended v2". */
export function status(word: string, version: number): string {
  const shown = word.charAt(0).toUpperCase() + word.slice(1);
  return version > 1 ? `${shown} v${version}` : shown;
}

/** A term of a trade: a price with cents, other amounts as they are, nothing as "none". */
export function shownTerm(name: TermName, value: string | null): string {
  if (value === null || value === "") return "none";
  if (name === "price") return money.price(value);
  const { kind } = termNamed(name);
  if (kind === "side") return value === "buy" ? "Buy" : "Sell";
  return kind === "amount" ? money.quantity(value) : value;
}

/** Enough of a UUIDv7 to tell trades apart: its first half is the time, its end is random. */
export function shortId(id: string): string {
  return id.slice(-8);
}

/**
 * Orders ISO 8601 moments in UTC, as the server writes them. Whole seconds come without a
 * fraction, so beyond the seconds plain text order would be wrong.
 */
export function compareMoments(left: string, right: string): number {
  if (left === right) return 0;
  const [a, b] = [left.slice(0, 19), right.slice(0, 19)];
  if (a !== b) return a < b ? -1 : 1;
  const fraction = (text: string): string => /\.(\d+)/.exec(text)?.[1] ?? "";
  const [f, g] = [fraction(left).padEnd(9, "0"), fraction(right).padEnd(9, "0")];
  return f < g ? -1 : f > g ? 1 : 0;
}

/** A span in seconds, in words: "0.8 s", "38 s", "2 min 5 s". */
export function duration(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 120) return `${rounded} s`;
  return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
}

/** "2026-11-20" as "20 Nov". */
export function dayAndMonth(iso: string): string {
  return SHORT.format(new Date(`${iso}T00:00:00Z`));
}

/** The calendar date so many days before. */
export function daysBefore(iso: string, days: number): string {
  return new Date(Date.parse(`${iso}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
}
