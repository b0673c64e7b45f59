import { describe, expect, it } from "vitest";

import type { TradeRow } from "../src/lib/answers/trades";
import { emptyState, type LiveState } from "../src/lib/live/connection";
import { OlderTrades } from "../src/lib/live/older";
import { trade } from "./rows";

const row = (id: string): TradeRow => trade({ id });
const watching = (...ids: string[]): LiveState => ({
  ...emptyState,
  trades: new Map(ids.map((id) => [id, row(id)])),
});
const nothing = { add: [], update: [], remove: [] };

describe("trades older than the watched ones", () => {
  it("go on after the oldest that is shown", () => {
    const older = new OlderTrades();
    const state = watching("t7", "t8", "t9");
    expect(older.reached(state)).toBe("t7");
    expect(older.take([row("t6"), row("t5")], state, true)).toEqual([row("t6"), row("t5")]);
    expect(older.reached(state)).toBe("t5");
    older.reset();
    expect(older.reached(state)).toBe("t7");
  });

  it("go on in the same place after those of one position were read", () => {
    const older = new OlderTrades();
    const state = watching("t7", "t8", "t9");
    older.take([row("t2")], state, false);
    expect(older.reached(state)).toBe("t7");
    expect(older.take([row("t6"), row("t2")], state, true)).toEqual([row("t6")]);
  });

  it("stay when newer ones push them out of what is watched", () => {
    const older = new OlderTrades();
    older.take([row("t6")], watching("t7", "t8"), true);
    const change = { add: [row("t9")], update: [], remove: [row("t7")] };
    expect(older.change(change, watching("t8", "t9"), false)).toEqual({ ...change, remove: [] });
    expect(older.size).toBe(2);
  });

  it("go when the day has fewer", () => {
    const older = new OlderTrades();
    older.take([row("t6")], watching("t7", "t8"), true);
    const change = { ...nothing, remove: [row("t7")] };
    expect(older.change(change, watching("t8"), true)).toEqual(change);
  });

  it("are watched again without coming twice", () => {
    const older = new OlderTrades();
    older.take([row("t6")], watching("t7", "t8"), true);
    const change = { ...nothing, add: [row("t6")], remove: [row("t8")] };
    expect(older.change(change, watching("t6", "t7"), true)).toEqual({
      add: [],
      update: [row("t6")],
      remove: [row("t8")],
    });
    expect(older.size).toBe(0);
  });

  it("change nothing while there are none", () => {
    const change = { ...nothing, remove: [row("t7")] };
    expect(new OlderTrades().change(change, watching("t8"), false)).toBe(change);
  });
});
