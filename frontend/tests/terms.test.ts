/** What the page makes of the table of terms. */

import { describe, expect, it } from "vitest";

import { read } from "../src/lib/answers/base";
import { type TradeRow, type TradeVersion, tradeRow } from "../src/lib/answers/trades";
import { COLUMNS, NEEDED } from "../src/lib/bulk/rows";
import { changedTerms } from "../src/lib/diff";
import { furtherColumns } from "../src/lib/grid/columns";
import { executed, shownTerm } from "../src/lib/show";
import {
  AMENDABLE,
  FIELDS,
  FURTHER,
  isTooLong,
  NOTHING_SAID,
  PRICE_ZERO,
  READABLE,
  REASON_LONGEST,
  termNamed,
  TERMS,
} from "../src/lib/terms";
import { complaintOf, furtherOf, saidOf, typedOf, zeroComplaints } from "../src/lib/typed";
import { trade } from "./rows";

const NOTE = termNamed("note");

describe("the table", () => {
  it("declares each term that a row of a trade has", () => {
    const row = trade();
    expect(TERMS.map(({ name }) => name).filter((name) => !(name in row))).toEqual([]);
    expect(REASON_LONGEST).toBe(200);
  });

  it("is asked for by a form, but for what the page and the server set", () => {
    const asked = TERMS.map(({ name }) => name).filter((name) => FIELDS.includes(name));
    expect([...asked, PRICE_ZERO.name].sort()).toEqual([...FIELDS].sort());
    expect(TERMS.length - asked.length).toBe(2);
    expect(FURTHER.map(({ name }) => name)).toContain("note");
  });

  it("names what a column of a file may mean: the terms, and what only helps to read its rows", () => {
    const names = READABLE.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining([...COLUMNS, "amount", "time"]));
    expect(NEEDED).toEqual(["ticker", "account", "side", "quantity", "price"]);
  });

  it("makes a hidden column of each term that has none of its own", () => {
    const columns = furtherColumns<TradeRow>();
    expect(columns.map(({ colId }) => colId)).toEqual(FURTHER.map(({ name }) => name));
    expect(columns.every(({ hide }) => hide)).toBe(true);
  });
});

describe("a term in an answer", () => {
  it.each(TERMS.map((term) => [term.name, term] as const))("is checked: %s", (name, term) => {
    const without = Object.entries(trade()).filter(([field]) => field !== name);
    expect(() => read(tradeRow, Object.fromEntries(without))).toThrow(name);
    const empty = { ...trade(), [name]: null };
    if (term.may_be_null) expect(read(tradeRow, empty)[name]).toBeNull();
    else expect(() => read(tradeRow, empty)).toThrow(name);
  });

  it.each(AMENDABLE.map((term) => [term.name, term] as const))(
    "is told when a correction changed it: %s",
    (name, { kind }) => {
      const version = trade() as unknown as TradeVersion;
      const other = { ...version, [name]: kind === "amount" ? "77" : "other" };
      expect([...changedTerms(version, other)]).toEqual([name]);
      expect([...changedTerms(version, version)]).toEqual([]);
    },
  );

  it("is shown by its kind", () => {
    expect(shownTerm("side", "sell")).toBe("Sell");
    expect(shownTerm("quantity", "1000.500000")).toBe("1,000.5");
    expect(shownTerm("price", "1000.500000")).toBe("1,000.50");
    expect(shownTerm("note", "")).toBe("none");
    expect(shownTerm("client_trade_id", null)).toBe("none");
  });
});

it("has no time where only its day is known", () => {
  const now = new Date("2026-11-20T23:00:00Z");
  expect(executed(trade(), now)).toMatch(/^\d\d:\d\d:11$/);
  expect(executed(trade({ executed_at_known: false }), now)).toBe("no time");
});

describe("a typed term", () => {
  it("is said as the API takes it", () => {
    expect(saidOf(termNamed("ticker"), " ibm ")).toBe("IBM");
    expect(saidOf(termNamed("quantity"), "1,000")).toBe("1000");
    expect(saidOf(termNamed("quantity"), "a lot")).toBe("a lot");
    expect(saidOf(NOTE, "  by telephone ")).toBe("by telephone");
    expect(saidOf(NOTE, "   ")).toBe("");
  });

  it("goes with a booking where it is said", () => {
    expect(furtherOf({ ...NOTHING_SAID, note: "  by telephone ", ticker: "IBM" })).toEqual({
      note: "by telephone",
    });
    expect(furtherOf({ ...NOTHING_SAID, note: "   " })).toEqual({});
  });

  it("is complained of only where it is wrong", () => {
    expect(complaintOf(NOTE, "")).toBeNull();
    expect(complaintOf(termNamed("quantity"), "")).toBe("More than 0, like 100.");
    expect(complaintOf(termNamed("price"), "abc")).toBe("More than 0, like 192.81.");
    expect(complaintOf(termNamed("ticker"), " ")).toBe("Enter a ticker.");
    expect(complaintOf(NOTE, "n".repeat(201))).toBe(
      "Ensure this field has no more than 200 characters.",
    );
  });

  it("of 0 must be meant, and the note must say why", () => {
    expect(zeroComplaints("0.01", false, "")).toEqual({});
    expect(zeroComplaints("none", false, "")).toEqual({});
    expect(Object.keys(zeroComplaints("0.00", false, " "))).toEqual(["price_zero", "note"]);
    expect(Object.keys(zeroComplaints(" 0 ", true, ""))).toEqual(["note"]);
    expect(zeroComplaints("0", true, "Free shares")).toEqual({});
  });

  it("is as long as the server counts it", () => {
    expect(isTooLong(NOTE, "📈".repeat(200))).toBe(false);
    expect(isTooLong(NOTE, "📈".repeat(201))).toBe(true);
    expect(complaintOf(NOTE, ` ${"n".repeat(200)} `)).toBeNull();
  });

  it("begins a correction as a person would type it", () => {
    const row = trade({ price: "192.810000", quantity: "100.000000", note: "by telephone" });
    expect(typedOf(row, termNamed("price"))).toBe("192.81");
    expect(typedOf(row, termNamed("quantity"))).toBe("100");
    expect(typedOf(row, NOTE)).toBe("by telephone");
    expect(typedOf(row, termNamed("client_trade_id"))).toBe("");
  });
});
