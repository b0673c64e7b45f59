import { describe, expect, it } from "vitest";

import type { SnapshotMessage } from "../src/lib/answers/live";
import {
  emptyState,
  type LiveState,
  newestPriceAt,
  positionKey,
  receive,
  reconnected,
} from "../src/lib/live/connection";
import { position, price, total, trade, update } from "./rows";

const AT = 1_000_000;

const snapshot = (changed: Partial<SnapshotMessage> = {}): SnapshotMessage => ({
  type: "snapshot",
  seq: 1,
  business_date: "2026-11-20",
  price_source: "simulated",
  accounts: ["Test2"],
  positions: [position()],
  trades: [trade()],
  totals: [total()],
  prices: [price()],
  trades_total: { Test2: 1 },
  ...changed,
});

const started = (): LiveState => receive(emptyState, snapshot(), AT).state;

describe("a snapshot", () => {
  it("replaces everything, whatever was there", () => {
    const ibm = position({ ticker: "IBM" });
    const { state, change } = receive(
      started(),
      snapshot({ seq: 9, positions: [ibm], trades: [], totals: [], prices: [] }),
      AT,
    );
    expect(change).toEqual({ kind: "snapshot" });
    expect([...state.positions.values()]).toEqual([ibm]);
    expect(state.trades.size + state.totals.size + state.prices.size).toBe(0);
    expect(state.seq).toBe(9);
    expect(state.inStep).toBe(true);
  });
});

describe("an update", () => {
  it("changes, adds and removes rows, and says which", () => {
    const moved = position({ price: "193", total_pnl: "7320.00" });
    const ibm = position({ ticker: "IBM" });
    const { state, change } = receive(started(), update(2, { positions: [moved, ibm] }), AT);
    expect(state.positions.get(positionKey(moved))).toEqual(moved);
    expect(change).toMatchObject({
      kind: "update",
      positions: { add: [ibm], update: [moved], remove: [] },
    });

    const flat = receive(
      state,
      update(3, { removed: { positions: [{ account: "Test2", ticker: "AAPL" }], trades: [] } }),
      AT,
    );
    expect([...flat.state.positions.values()]).toEqual([ibm]);
    expect(flat.change).toMatchObject({ positions: { add: [], update: [], remove: [moved] } });
  });

  it("removes trades by id, and totals stay", () => {
    const { state } = receive(
      started(),
      update(2, { removed: { positions: [], trades: [trade().id] } }),
      AT,
    );
    expect(state.trades.size).toBe(0);
    expect(state.totals.size).toBe(1);
  });

  it("keeps accounts apart that hold the same ticker", () => {
    const other = position({ account: "Test1" });
    const { state } = receive(started(), update(2, { positions: [other] }), AT);
    expect(state.positions.size).toBe(2);
  });

  it("may remove what is not there", () => {
    const { change } = receive(
      started(),
      update(2, { removed: { positions: [{ account: "X", ticker: "Y" }], trades: ["z"] } }),
      AT,
    );
    expect(change).toMatchObject({ positions: { remove: [] }, trades: { remove: [] } });
  });

  it("does not touch the state it came from", () => {
    const before = started();
    receive(before, update(2, { positions: [position({ quantity: "1" })] }), AT);
    expect(before.positions.get(positionKey(position()))?.quantity).toBe("40.000000");
  });
});

describe("order", () => {
  it.each([3, 1, 0])("treats seq %i after 1 as a gap", (seq) => {
    const before = started();
    const { state, change } = receive(before, update(seq, { totals: [total({ total_pnl: "0" })] }), AT);
    expect(change).toEqual({ kind: "gap" });
    expect(state.totals).toBe(before.totals);
    expect(state.inStep).toBe(false);
  });

  it("drops everything between a gap and the next snapshot", () => {
    const gap = receive(started(), update(5), AT).state;
    const late = receive(gap, update(6, { trades: [trade({ status: "cancelled" })] }), AT);
    expect(late.change).toEqual({ kind: "dropped" });
    expect(late.state).toBe(gap);
    const back = receive(late.state, snapshot({ seq: 7 }), AT).state;
    expect(receive(back, update(8), AT).change.kind).toBe("update");
  });

  it("drops updates before the first snapshot", () =>
    expect(receive(emptyState, update(1), AT).change).toEqual({ kind: "dropped" }));

  it("starts over on a new connection but keeps the rows to show", () => {
    const state = reconnected(started());
    expect(state.positions.size).toBe(1);
    expect(receive(state, update(2), AT).change).toEqual({ kind: "dropped" });
    expect(receive(state, snapshot(), AT).state.inStep).toBe(true);
  });

  it("leaves rows and numbering alone on an error", () => {
    const before = started();
    const error = { type: "error", code: "not_entitled", detail: "No." } as const;
    expect(receive(before, error, AT)).toEqual({
      state: before,
      change: { kind: "refused", error },
    });
  });
});

describe("the age of prices", () => {
  const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 20, 19, 0, seconds)).toISOString();

  it("is that of the newest price of a position, by the server's clock", () => {
    const { state } = receive(
      emptyState,
      snapshot({
        positions: [position({ price_as_of: at(1) }), position({ ticker: "IBM", price_as_of: at(5) })],
        totals: [total({ calculated_at: at(10) })],
      }),
      AT,
    );
    expect(newestPriceAt(state)).toBe(AT - 5_000);
    const older = receive(
      state,
      update(2, {
        positions: [position({ price_as_of: at(2) })],
        totals: [total({ calculated_at: at(11) })],
      }),
      AT + 1_000,
    );
    expect(newestPriceAt(older.state)).toBe(AT - 5_000);
  });

  it("is unknown without a price", () =>
    expect(
      newestPriceAt(
        receive(emptyState, snapshot({ positions: [position({ price_as_of: null })] }), AT).state,
      ),
    ).toBeNull());
});

describe("the window of trades", () => {
  it("knows how many there are of the day", () => {
    const { state } = receive(emptyState, snapshot({ trades_total: { Test2: 7, Test1: 2 } }), AT);
    const after = receive(state, update(2, { trades_total: { Test2: 8 } }), AT).state;
    expect(Object.fromEntries(after.tradesTotal)).toEqual({ Test2: 8, Test1: 2 });
  });

  it("takes what is gone away before what comes", () => {
    const { state, change } = receive(
      started(),
      update(2, {
        trades: [trade({ account: "Test1" })],
        removed: { positions: [], trades: [trade().id] },
      }),
      AT,
    );
    expect([...state.trades.values()]).toEqual([trade({ account: "Test1" })]);
    expect(change).toMatchObject({ trades: { add: [], update: [{}], remove: [] } });
  });
});

it("snapshot + updates = a fresh snapshot, for any sequence of changes", () => {
  // A small seeded generator: the same sequences on every run.
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let round = 0; round < 50; round++) {
    const truth = new Map([[positionKey(position()), position()]]);
    let state = started();
    for (let step = 2; step < 30; step++) {
      const row = position({ ticker: `T${random(5)}`, quantity: String(random(100)) });
      const key = positionKey(row);
      if (random(3) === 0) {
        truth.delete(key);
        const removed = { positions: [{ account: row.account, ticker: row.ticker }], trades: [] };
        state = receive(state, update(step, { removed }), AT).state;
      } else {
        truth.set(key, row);
        state = receive(state, update(step, { positions: [row] }), AT).state;
      }
    }
    expect(new Map(state.positions)).toEqual(truth);
  }
});
