import { readFileSync } from "node:fs";

import { describe, expect, it, vi } from "vitest";

import { Refused, Unreachable } from "../src/lib/api/client";
import { safe } from "../src/lib/csv";
import { newYorkMoment } from "../src/lib/bulk/newYork";
import { blankRow, type BulkRow, type Known, problemOf, toTrade } from "../src/lib/bulk/rows";
import { Interrupted, reasonsByRow, runBulk } from "../src/lib/bulk/run";
import type { NewTrade } from "../src/lib/terms";

const known: Known = {
  accounts: new Set(["Test1"]),
  viewable: new Set(["Test1", "Test2"]),
  tickers: new Set(["IBM"]),
  businessDate: "2026-01-30",
};

const row = (changed: Partial<BulkRow> = {}): BulkRow => ({
  ...blankRow(1),
  account: "Test1",
  ticker: "IBM",
  side: "buy",
  quantity: "10",
  price: "143.50",
  ...changed,
});

const table = JSON.parse(
  readFileSync(new URL("../../tests/wire/rows.json", import.meta.url), "utf-8"),
) as { texts: [text: string, cell: string][]; rows: [changed: Partial<BulkRow>, wrong: string | null][] };

describe("what page and server both rule", () => {
  it.each(table.texts)("writes %j so that no spreadsheet calculates it", (text, cell) => {
    expect(safe(text)).toBe(cell);
  });

  it.each(table.rows)("takes or refuses %j", (changed, wrong) => {
    expect(problemOf(row(changed), known) !== "").toBe(wrong !== null);
  });
});

describe("a row", () => {
  it("passes when there is nothing to say", () => {
    expect(problemOf(row(), known)).toBe("");
    expect(problemOf(row({ quantity: "1000000000", price: "0.000001" }), known)).toBe("");
  });

  it.each([
    [{ account: "" }, "No account."],
    [{ account: "Test2" }, "You may not book in Test2."],
    [{ account: "Other" }, "There is no account Other."],
    [{ ticker: "NOSUCH" }, "There is no instrument NOSUCH."],
    [{ side: "hold" }, "The side must be buy or sell."],
    [{ quantity: "1,000" }, "The quantity must be without thousands separators."],
    [{ quantity: "1e3" }, "The quantity must be a plain number above zero, like 100 or 12.5."],
    [{ quantity: "-1" }, "The quantity must be a plain number above zero, like 100 or 12.5."],
    [{ quantity: "0.000" }, "The quantity must be above zero."],
    [{ price: "1.00000000001" }, "The price has more than 10 decimals."],
    [{ price: "1000000000.1" }, "The price is above 1,000,000,000."],
    [{ quantity: "1000000000.0000000001" }, "The quantity is above 1,000,000,000."],
    [{ price: "" }, "No price."],
    [{ trade_date: "30.01.2026" }, "The trade date must look like 2026-01-30."],
    [{ trade_date: "2026-01-31" }, "The trade date is in the future."],
    [{ executed_at: "noon" }, "The execution time must look like 2026-01-30 15:04:05."],
    [{ note: "n".repeat(201) }, "The note is longer than 200 characters."],
  ])("is told what is wrong: %o", (changed, said) => {
    expect(problemOf(row(changed), known)).toBe(said);
  });

  it.each([
    [{ price: "0" }, "The price is 0: say so in price_zero, and why in the note."],
    [{ price: "0", price_zero: "true" }, "The price is 0: say so in price_zero, and why in the note."],
    [{ price: "0", note: "Free", price_zero: "no" }, "The price is 0: say so in price_zero, and why in the note."],
    [{ price: "0.00", note: "Free", price_zero: "Yes" }, ""],
    [{ price: "1", price_zero: "false" }, ""],
    [{ price: "1", price_zero: "1" }, "price_zero says that the price is 0."],
    [{ price: "1", price_zero: "constructor" }, "price_zero must be true or false."],
  ])("is free only where that is said: %o", (changed, said) => {
    expect(problemOf(row(changed), known)).toBe(said);
  });

  it("says that it is free as the API takes it", () => {
    expect(toTrade(row({ price: "0", note: "Free", price_zero: "TRUE" }))).toMatchObject({ price_zero: true });
    expect(toTrade(row({ price_zero: "false" }))).not.toHaveProperty("price_zero");
  });

  it("is sent without what is empty", () => {
    expect(toTrade(row())).toEqual({
      account: "Test1",
      ticker: "IBM",
      side: "buy",
      quantity: "10",
      price: "143.50",
    });
    expect(toTrade(row({ executed_at: "2026-01-30 10:00", note: "x" }))).toMatchObject({
      executed_at: "2026-01-30T10:00:00-05:00",
      note: "x",
    });
  });
});

it.each([
  ["2026-01-30 15:04:05", "2026-01-30T15:04:05-05:00"],
  ["2026-07-01T09:30", "2026-07-01T09:30:00-04:00"],
  ["2026-07-01 09:30:00.25", "2026-07-01T09:30:00.25-04:00"],
  ["2026-07-01T13:30:00Z", "2026-07-01T13:30:00Z"],
  ["2026-07-01T13:30:00+0200", "2026-07-01T13:30:00+02:00"],
  // The clocks went forward at 02:00 on 8 March 2026, and back on 1 November.
  ["2026-03-08 01:59", "2026-03-08T01:59:00-05:00"],
  ["2026-03-08 03:00", "2026-03-08T03:00:00-04:00"],
  ["2026-11-01 03:00", "2026-11-01T03:00:00-05:00"],
  ["2026-02-30 10:00", null],
  ["2026-01-30", null],
])("reads %s as the exchange's time", (typed, moment) => {
  expect(newYorkMoment(typed)).toBe(moment);
});

describe("a run", () => {
  const rows = (count: number): BulkRow[] => Array.from({ length: count }, (_x, i) => row({ ...blankRow(i + 1), ...row(), n: i + 1 }));
  const booked = (group: string, trades: readonly NewTrade[]) => ({
    request_group: group,
    ids: trades.map((_trade, index) => `${group}-${index}`),
  });
  let next = 0;
  const options = {
    newGroup: () => `g${(next += 1)}`,
    pause: () => Promise.resolve(),
    signal: new AbortController().signal,
  };

  it("books groups in order, and gives each row its id", async () => {
    const all = rows(5);
    const sent: number[] = [];
    next = 0;
    await runBulk({
      ...options,
      rows: all,
      groupSize: 2,
      onprogress: () => undefined,
      send: (group, trades) => {
        sent.push(trades.length);
        return Promise.resolve(booked(group, trades));
      },
    });
    expect(sent).toEqual([2, 2, 1]);
    expect(all.map((each) => each.trade_id)).toEqual(["g1-0", "g1-1", "g2-0", "g2-1", "g3-0"]);
  });

  it("takes refused rows out and books the rest as another group", async () => {
    const all = rows(4);
    const groups: string[] = [];
    const send = vi.fn((group: string, trades: readonly NewTrade[]) => {
      groups.push(group);
      return trades.length === 4
        ? Promise.reject(new Refused(400, [{ code: "short", detail: "Too many.", attr: "trades.2.quantity" }]))
        : Promise.resolve(booked(group, trades));
    });
    await runBulk({ ...options, rows: all, groupSize: 10, onprogress: () => undefined, send });
    expect(all.map((each) => each.outcome)).toEqual(["booked", "booked", "rejected", "booked"]);
    expect(all[2]?.problem).toBe("quantity: Too many.");
    expect(new Set(groups).size).toBe(2);
  });

  it("stops at a refusal that is about the login and no row", async () => {
    const all = rows(4);
    const csrf = new Refused(403, [{ code: "permission_denied", detail: "Reload the page.", attr: null }]);
    const send = vi.fn(() => Promise.reject(csrf));
    const run = runBulk({ ...options, rows: all, groupSize: 2, onprogress: () => undefined, send });
    await expect(run).rejects.toThrow(Interrupted);
    expect(send).toHaveBeenCalledTimes(1);
    expect(all.map((each) => each.outcome)).toEqual(["", "", "", ""]);
    const entitled = new Refused(403, [{ code: "not_entitled", detail: "You may not book in Test1.", attr: null }]);
    await runBulk({
      ...options, rows: all, groupSize: 4, onprogress: () => undefined, send: () => Promise.reject(entitled),
    });
    expect(all.map((each) => each.outcome)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
  });

  it("asks for the same group again after a lost answer, and never for another", async () => {
    const groups: string[] = [];
    await runBulk({
      ...options,
      rows: rows(1),
      groupSize: 10,
      onprogress: () => undefined,
      send: (group, trades) => {
        groups.push(group);
        return groups.length < 3 ? Promise.reject(new Unreachable("away")) : Promise.resolve(booked(group, trades));
      },
    });
    expect(new Set(groups).size).toBe(1);
    expect(groups).toHaveLength(3);
  });

  it("stops when the server stays away, and says which group it left open", async () => {
    const all = rows(1);
    const run = runBulk({
      ...options,
      rows: all,
      groupSize: 10,
      onprogress: () => undefined,
      send: () => Promise.reject(new Unreachable("away")),
    });
    const error: unknown = await run.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Interrupted);
    expect((error as Interrupted).pending?.rows).toEqual(all);
    expect(all[0]?.outcome).toBe("unknown");
  });

  it("reads the rows that complaints are about", () => {
    const found = reasonsByRow(
      [
        { code: "", detail: "A.", attr: "trades.0.ticker" },
        { code: "", detail: "B.", attr: "trades.0.trade_date" },
        { code: "", detail: "C.", attr: "trades" },
        { code: "", detail: "D.", attr: "trades.9.price" },
      ],
      3,
    );
    expect([...found]).toEqual([[0, "ticker: A. trade date: B."]]);
  });
});
