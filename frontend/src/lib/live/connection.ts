/**
 * What a blotter connection knows, as a pure function of what it received.
 *
 * `receive` takes a state and a message and returns the next state and what changed. Sockets,
 * clocks and the screen are elsewhere, so every case can be tested by calling it.
 *
 * The rule that keeps the page right: updates apply only on top of a snapshot, in unbroken `seq`
 * order. After a gap everything is dropped until the next snapshot.
 */

import type { Firing } from "../answers/alerts";
import type { BreachNews } from "../answers/guards";
import type { ImportJob } from "../answers/imports";
import type {
  ErrorMessage,
  Rows,
  ServerMessage,
  SnapshotMessage,
  TradesTotal,
  UpdateMessage,
} from "../answers/live";
import type { PositionRow, TotalRow } from "../answers/positions";
import type { PriceRow } from "../answers/prices";
import type { TradeRow } from "../answers/trades";

export interface LiveState {
  /** Sequence number of the last message applied. */
  seq: number;
  /** False before the first snapshot and after a gap: updates are then dropped. */
  inStep: boolean;
  businessDate: string | null;
  priceSource: string | null;
  /** Whose rows these are. */
  accounts: ReadonlySet<string>;
  positions: ReadonlyMap<string, PositionRow>;
  trades: ReadonlyMap<string, TradeRow>;
  totals: ReadonlyMap<string, TotalRow>;
  prices: ReadonlyMap<string, PriceRow>;
  /** Trades of the day by account; the rows are the newest of all accounts together. */
  tradesTotal: ReadonlyMap<string, number>;
  /** The server's clock less the local one (ms), as far as messages show; null before the first. */
  clockAhead: number | null;
  /** The server's time (ms) of the newest price of a position. */
  newestPrice: number | null;
}

/** Local time (ms) of the newest price, whatever the two clocks say. */
export function newestPriceAt({ newestPrice, clockAhead }: LiveState): number | null {
  return newestPrice === null || clockAhead === null ? null : newestPrice - clockAhead;
}

export interface Delta<Row> {
  add: Row[];
  update: Row[];
  remove: Row[];
}

export type Change =
  | { kind: "snapshot" }
  | { kind: "update"; positions: Delta<PositionRow>; trades: Delta<TradeRow> }
  | { kind: "gap" }
  | { kind: "dropped" }
  | { kind: "import"; job: ImportJob }
  | { kind: "breach"; breach: BreachNews }
  | { kind: "alert"; firing: Firing }
  | { kind: "refused"; error: ErrorMessage };

export interface Received {
  state: LiveState;
  change: Change;
}

export const emptyState: LiveState = {
  seq: 0,
  inStep: false,
  businessDate: null,
  priceSource: null,
  accounts: new Set(),
  positions: new Map(),
  trades: new Map(),
  totals: new Map(),
  prices: new Map(),
  tradesTotal: new Map(),
  clockAhead: null,
  newestPrice: null,
};

/** Unambiguous, because no ticker holds a bar. The grid shows it as the row's `row-id`. */
export function positionKey(row: { account: string; ticker: string }): string {
  return `${row.account}|${row.ticker}`;
}

const tradeKey = (row: TradeRow): string => row.id;
const totalKey = (row: TotalRow): string => row.account;
const priceKey = (row: PriceRow): string => row.ticker;

/**
 * The state after a new socket opened: numbering starts over.
 *
 * The rows stay, to be shown as old, until the snapshot replaces them.
 */
export function reconnected(state: LiveState): LiveState {
  return { ...state, seq: 0, inStep: false };
}

/** `at` is the local time of arrival in milliseconds. */
export function receive(state: LiveState, message: ServerMessage, at: number): Received {
  switch (message.type) {
    case "snapshot":
      return { state: fromSnapshot(message, at), change: { kind: "snapshot" } };
    case "update":
      if (!state.inStep) return { state, change: { kind: "dropped" } };
      if (message.seq !== state.seq + 1)
        return { state: { ...state, inStep: false }, change: { kind: "gap" } };
      return applyUpdate(state, message, at);
    case "import":
      return { state, change: { kind: "import", job: message.job } };
    case "breach":
      return { state, change: { kind: "breach", breach: message.breach } };
    case "alert":
      return { state, change: { kind: "alert", firing: message.firing } };
    case "error":
      return { state, change: { kind: "refused", error: message } };
  }
}

function fromSnapshot(message: SnapshotMessage, at: number): LiveState {
  return {
    seq: message.seq,
    inStep: true,
    businessDate: message.business_date,
    priceSource: message.price_source,
    accounts: new Set(message.accounts),
    positions: new Map(message.positions.map((row) => [positionKey(row), row])),
    trades: new Map(message.trades.map((row) => [tradeKey(row), row])),
    totals: new Map(message.totals.map((row) => [totalKey(row), row])),
    prices: new Map(message.prices.map((row) => [priceKey(row), row])),
    tradesTotal: new Map(Object.entries(message.trades_total)),
    clockAhead: clockAhead(message, at, null),
    newestPrice: newestPrice(message, null),
  };
}

function applyUpdate(state: LiveState, message: UpdateMessage, at: number): Received {
  const positions = merge(
    state.positions,
    message.positions,
    positionKey,
    message.removed.positions.map(positionKey),
  );
  const trades = merge(state.trades, message.trades, tradeKey, message.removed.trades);
  return {
    state: {
      ...state,
      seq: message.seq,
      positions: positions.rows,
      trades: trades.rows,
      totals: merge(state.totals, message.totals, totalKey, []).rows,
      prices: merge(state.prices, message.prices, priceKey, []).rows,
      tradesTotal: totals(state.tradesTotal, message.trades_total),
      clockAhead: clockAhead(message, at, state.clockAhead),
      newestPrice: newestPrice(message, state.newestPrice),
    },
    change: { kind: "update", positions: positions.delta, trades: trades.delta },
  };
}

/**
 * What is gone goes first, then come the rows. Removing what is not there is no error: the row may
 * have come and gone between messages.
 */
function merge<Row>(
  old: ReadonlyMap<string, Row>,
  changed: readonly Row[],
  key: (row: Row) => string,
  removed: readonly string[],
): { rows: ReadonlyMap<string, Row>; delta: Delta<Row> } {
  const delta: Delta<Row> = { add: [], update: [], remove: [] };
  if (changed.length === 0 && removed.length === 0) return { rows: old, delta };
  const rows = new Map(old);
  const coming = new Map(changed.map((row) => [key(row), row]));
  for (const gone of removed) {
    const row = old.get(gone);
    rows.delete(gone);
    if (row !== undefined && !coming.has(gone)) delta.remove.push(row);
  }
  for (const [id, row] of coming) {
    rows.set(id, row);
    (old.has(id) ? delta.update : delta.add).push(row);
  }
  return { rows, delta };
}

function totals(
  known: ReadonlyMap<string, number>,
  changed: TradesTotal,
): ReadonlyMap<string, number> {
  const entries = Object.entries(changed);
  return entries.length === 0 ? known : new Map([...known, ...entries]);
}

/** A total was calculated before its message left, so the server's clock is at least so far ahead. */
function clockAhead(rows: Pick<Rows, "totals">, at: number, known: number | null): number | null {
  return rows.totals.reduce<number | null>((ahead, { calculated_at }) => {
    const seen = Date.parse(calculated_at) - at;
    return Number.isNaN(seen) || (ahead !== null && ahead >= seen) ? ahead : seen;
  }, known);
}

function newestPrice(rows: Pick<Rows, "positions">, known: number | null): number | null {
  return rows.positions.reduce<number | null>((newest, { price_as_of }) => {
    const taken = price_as_of === null ? Number.NaN : Date.parse(price_as_of);
    return Number.isNaN(taken) || (newest !== null && newest >= taken) ? newest : taken;
  }, known);
}
