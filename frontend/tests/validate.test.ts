import { describe, expect, it } from "vitest";

import { InvalidMessage, read } from "../src/lib/answers/base";
import { serverMessage } from "../src/lib/answers/live";
import { tradeRow } from "../src/lib/answers/trades";
import { position, price, total, trade, update } from "./rows";

const snapshot = {
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
};

const parse = (message: unknown): unknown => serverMessage(JSON.stringify(message));

describe("serverMessage", () => {
  it("reads a snapshot", () =>
    expect(parse(snapshot)).toMatchObject({ seq: 1, positions: [position()], trades: [trade()] }));

  it("reads an update that holds only what changed", () =>
    expect(parse({ type: "update", seq: 2, totals: [total()] })).toEqual(
      update(2, { totals: [total()] }),
    ));

  it("reads an error", () =>
    expect(parse({ type: "error", code: "not_entitled", detail: "No." })).toEqual({
      type: "error",
      code: "not_entitled",
      detail: "No.",
    }));

  it("reads how far an import is, without its groups while it runs", () => {
    const job = {
      id: "0193f0aa-0000-7000-8000-000000000001",
      state: "running",
      file_name: "trades.csv",
      accepted_at: "2026-11-20T19:02:11Z",
      finished_at: null,
      rows_total: 250,
      rows_done: 100,
      rows_booked: 99,
      rows_rejected: 1,
      rows_passed_over: 0,
      dry_run: false,
      rows_per_second: 1234.5,
      error: "",
    };
    expect(parse({ type: "import", import: job })).toEqual({
      type: "import",
      job: { ...job, request_groups: [] },
    });
  });

  it("keeps null apart from zero", () => {
    const row = position({ total_pnl: null, pnl_valid: false, pnl_reason: "no_mark" });
    expect(parse({ ...snapshot, positions: [row] })).toMatchObject({
      positions: [{ total_pnl: null, pnl_reason: "no_mark" }],
    });
  });

  it("ignores fields that it does not know", () =>
    expect(parse({ ...snapshot, positions: [{ ...position(), cusip: "x" }] })).toMatchObject({
      positions: [position()],
    }));

  it.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["an unknown type", '{"type":"hello"}'],
    ["no seq", '{"type":"update"}'],
  ])("refuses %s", (_name, text) => expect(() => serverMessage(text)).toThrow(InvalidMessage));

  it("refuses a decimal that came as a number, and names the field", () =>
    expect(() =>
      parse({ ...snapshot, positions: [{ ...position(), total_pnl: 7312.4 }] }),
    ).toThrow(/total_pnl/));

  it.each(["1E+2", "NaN", "", "1.", "+1"])("refuses %j as a decimal", (quantity) =>
    expect(() => parse({ ...snapshot, positions: [position({ quantity })] })).toThrow(/quantity/),
  );

  it("refuses a missing field rather than show nothing", () => {
    const row: Partial<ReturnType<typeof position>> = position();
    delete row.total_pnl;
    expect(() => parse({ ...snapshot, positions: [row] })).toThrow(/total_pnl.*nothing/);
  });
});

it("a trade is bought or sold", () =>
  expect(() => read(tradeRow, { ...trade(), side: "short" })).toThrow(/side/));
