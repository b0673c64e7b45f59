import { describe, expect, it } from "vitest";

import { condition, typedLevel } from "../src/lib/alertKinds";
import { alert } from "../src/lib/answers/alerts";
import { read } from "../src/lib/answers/base";
import { serverMessage } from "../src/lib/answers/live";
import { emptyState, receive } from "../src/lib/live/connection";

const FIRED = {
  id: "019c0f4a-11c0-7b52-8d11-7e5a3f0c9d21",
  alert: "019c0f3e-7a52-7c31-9b7e-2f0d5c1a8e46",
  kind: "price",
  account: null,
  ticker: "IBM",
  text: "IBM is at 150.02, above 150",
  trade: null,
  opened_at: "2026-03-18T16:00:00Z",
  closed_at: null,
  seen_at: null,
};

describe("a level as people type it", () => {
  it.each([
    ["1,150", "1150"],
    ["-10,000.50", "-10000.50"],
    ["−5", "-5"],
    [".5", "0.5"],
    ["  ", null],
    // The server says what is wrong with it.
    ["plenty", "plenty"],
    ["1,5", "1,5"],
  ])("%s", (typed, level) => {
    expect(typedLevel(typed)).toBe(level);
  });
});

it("says what an alert waits for", () => {
  expect(condition({ kind: "account_pnl", way: "below", level: "-10000" })).toBe("below −10,000");
  expect(condition({ kind: "stale", way: null, level: "5" })).toBe("older than 5 minutes");
  expect(condition({ kind: "others_trades", way: null, level: null })).toBe(
    "booked, amended or cancelled",
  );
});

it("names the field that is no alert's", () => {
  expect(() => read(alert, { id: "x", kind: "price" })).toThrow(/account/);
});

it("takes a firing without touching the numbering", () => {
  const message = serverMessage(JSON.stringify({ type: "alert", alert: FIRED }));
  const { state, change } = receive({ ...emptyState, seq: 7, inStep: true }, message, 0);
  expect(state.seq).toBe(7);
  expect(change).toEqual({ kind: "alert", firing: FIRED });
  expect(() => serverMessage(JSON.stringify({ type: "alert", alert: { ...FIRED, text: 1 } }))).toThrow(/text/);
});
