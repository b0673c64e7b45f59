/** The day's P&L of several accounts as one line. */

import type { IntradayPoint } from "../answers/pnl";

export interface Line {
  /** Seconds since 1970, ascending. */
  times: number[];
  /** Σ over accounts of the latest total P&L that each had by then; null before the first. */
  totals: (number | null)[];
}

/** Accounts write at different moments, so each keeps its last value until its next. */
export function summedLine(points: readonly IntradayPoint[]): Line {
  const ordered = points
    .map((point) => ({ at: Date.parse(point.at) / 1000, ...pick(point) }))
    .sort((left, right) => left.at - right.at);
  const latest = new Map<string, number>();
  const line: Line = { times: [], totals: [] };
  for (const { at, account, total } of ordered) {
    if (total === null) latest.delete(account);
    else latest.set(account, total);
    const sum = latest.size === 0 ? null : [...latest.values()].reduce((a, b) => a + b, 0);
    if (line.times.at(-1) === at) line.totals[line.totals.length - 1] = sum;
    else {
      line.times.push(at);
      line.totals.push(sum);
    }
  }
  return line;
}

function pick({ account, total_pnl }: IntradayPoint): { account: string; total: number | null } {
  return { account, total: total_pnl === null ? null : Number(total_pnl) };
}

/** `line` and then what was seen live since its end. */
export function continued(line: Line, live: Line): Line {
  const end = line.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  const from = live.times.findIndex((at) => at > end);
  if (from < 0) return line;
  return {
    times: [...line.times, ...live.times.slice(from)],
    totals: [...line.totals, ...live.totals.slice(from)],
  };
}

/** Lines of one chart over the same times: null where a value is not known, undefined where there is
 *  none at that time, over which the line goes on. */
export interface Lines {
  times: number[];
  values: Map<string, (number | null | undefined)[]>;
}

/** Each of these lines, over the times of all of them. */
export function aligned(lines: ReadonlyMap<string, Line>): Lines {
  const times = [...new Set([...lines.values()].flatMap((line) => line.times))].sort((a, b) => a - b);
  const place = new Map(times.map((at, index) => [at, index]));
  const values = new Map<string, (number | null | undefined)[]>();
  for (const [name, line] of lines) {
    const row: (number | null | undefined)[] = Array.from({ length: times.length }, () => undefined);
    line.times.forEach((at, index) => (row[place.get(at) ?? 0] = line.totals[index] ?? null));
    values.set(name, row);
  }
  return { times, values };
}

/** What was so at a place: the last value at it or before; undefined before the first. */
export function valueAt(row: readonly (number | null | undefined)[], index: number): number | null | undefined {
  for (let at = index; at >= 0; at -= 1) if (row[at] !== undefined) return row[at];
  return undefined;
}

/** The points of each account, as a line. */
export function linesOf(points: readonly IntradayPoint[]): Map<string, Line> {
  const accounts = new Map<string, IntradayPoint[]>();
  for (const point of points) {
    const theirs = accounts.get(point.account);
    if (theirs === undefined) accounts.set(point.account, [point]);
    else theirs.push(point);
  }
  return new Map([...accounts].map(([account, theirs]) => [account, summedLine(theirs)]));
}
