/** What made the P&L of some sessions: by ticker, as steps from nothing to the total, and by size. */

import type { Decimal } from "./answers/base";
import type { PnlRow } from "./answers/pnl";
import type { PositionRow } from "./answers/positions";
import { added } from "./figures";
import * as money from "./money";

export interface Contributor {
  ticker: string;
  /** Σ of total P&L over the sessions and accounts; null where none of it is known. */
  total: Decimal | null;
  /** Some of it is missing or uncertain. */
  isPartial: boolean;
}

/** The largest first, whichever way; those that made nothing are left out. */
export function contributors(rows: readonly PnlRow[]): Contributor[] {
  const byTicker = new Map<string, PnlRow[]>();
  for (const row of rows) {
    if (row.ticker === null) continue;
    const found = byTicker.get(row.ticker);
    if (found === undefined) byTicker.set(row.ticker, [row]);
    else found.push(row);
  }
  return [...byTicker]
    .map(([ticker, of]) => ({
      ticker,
      total: added(of.map((row) => row.total_pnl)),
      isPartial: of.some((row) => !row.pnl_valid),
    }))
    .filter(({ total, isPartial }) => isPartial || (total !== null && money.sign(total) !== 0))
    .toSorted((a, b) => size(b.total) - size(a.total) || (a.ticker < b.ticker ? -1 : 1));
}

const size = (value: Decimal | null): number => Math.abs(Number(value ?? "0"));

export interface Step {
  /** Null of the others together, and of the total. */
  ticker: string | null;
  name: string;
  amount: Decimal | null;
  isPartial: boolean;
  /** Where its bar begins and ends, of the whole width: 0 to 1. */
  from: number;
  to: number;
}

/** Each step begins where the one before ended; the last is the total, from nothing. */
export function steps(of: readonly Contributor[], most: number): { steps: Step[]; zero: number } {
  const [shown, others] = [of.slice(0, most), of.slice(most)];
  const amounts = [
    ...shown.map(({ ticker, total, isPartial }) => ({ ticker, name: ticker, amount: total, isPartial })),
    ...(others.length === 0
      ? []
      : [
          {
            ticker: null,
            name: `${others.length} others`,
            amount: added(others.map(({ total }) => total)),
            isPartial: others.some(({ isPartial }) => isPartial),
          },
        ]),
  ];
  let reached: Decimal = "0";
  const ends = amounts.map(({ amount }) => (reached = money.sum([reached, amount ?? "0"])));
  const places = [0, ...ends.map(Number)];
  const [low, high] = [Math.min(...places), Math.max(...places)];
  const at = (value: number): number => (high === low ? 0 : (value - low) / (high - low));
  const made = amounts.map((each, index) => ({
    ...each,
    from: at(places[index] ?? 0),
    to: at(places[index + 1] ?? 0),
  }));
  const whole = {
    ticker: null,
    name: "Total",
    amount: of.length === 0 ? "0" : added(of.map(({ total }) => total)),
    isPartial: of.some(({ isPartial }) => isPartial),
    from: at(0),
    to: at(Number(reached)),
  };
  return { steps: [...made, whole], zero: at(0) };
}

/** Σ of what is held of a ticker, long and short alike, as the server values it. */
export function exposureBy(positions: Iterable<PositionRow>): Map<string, Decimal> {
  const found = new Map<string, Decimal[]>();
  for (const { ticker, market_value } of positions) {
    if (market_value === null || money.sign(market_value) === 0) continue;
    const amount = market_value.replace(/^-/, "");
    found.set(ticker, [...(found.get(ticker) ?? []), amount]);
  }
  return new Map([...found].map(([ticker, amounts]) => [ticker, money.sum(amounts)]));
}

export interface Tile {
  name: string;
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * Rectangles as large as their sizes, near to squares, in percent of a box of this shape: each row is
 * filled along the shorter side for as long as that makes its tiles squarer.
 */
export function tiles(sizes: readonly { name: string; size: number }[], aspect: number): Tile[] {
  const sorted = sizes.filter(({ size }) => size > 0).toSorted((a, b) => b.size - a.size);
  const sum = sorted.reduce((running, { size }) => running + size, 0);
  const areas = sorted.map(({ name, size }) => ({ name, area: (size / sum) * aspect }));
  const found: Tile[] = [];
  let box = { left: 0, top: 0, width: aspect, height: 1 };
  for (let next = 0; next < areas.length; ) {
    const side = Math.min(box.width, box.height);
    let count = 1;
    while (next + count < areas.length && worst(areas.slice(next, next + count + 1), side) <= worst(areas.slice(next, next + count), side))
      count += 1;
    const row = areas.slice(next, next + count);
    const thick = row.reduce((running, { area }) => running + area, 0) / side;
    let along = 0;
    for (const { name, area } of row) {
      const long = area / thick;
      const placed =
        box.width >= box.height
          ? { left: box.left, top: box.top + along, width: thick, height: long }
          : { left: box.left + along, top: box.top, width: long, height: thick };
      found.push({
        name,
        left: (placed.left / aspect) * 100,
        top: placed.top * 100,
        width: (placed.width / aspect) * 100,
        height: placed.height * 100,
      });
      along += long;
    }
    box =
      box.width >= box.height
        ? { ...box, left: box.left + thick, width: box.width - thick }
        : { ...box, top: box.top + thick, height: box.height - thick };
    next += count;
  }
  return found;
}

/** How far from a square the worst tile of a row is: 1 is a square. */
function worst(row: readonly { area: number }[], side: number): number {
  const sum = row.reduce((running, { area }) => running + area, 0);
  return Math.max(...row.map(({ area }) => Math.max((side * side * area) / (sum * sum), (sum * sum) / (side * side * area))));
}
