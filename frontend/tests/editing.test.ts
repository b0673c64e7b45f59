import { describe, expect, it } from "vitest";

import { Bulk } from "../src/lib/bulk/bulk.svelte";
import { Editing } from "../src/lib/bulk/editing.svelte";
import { normalised } from "../src/lib/bulk/normal";
import { pastedOf } from "../src/lib/bulk/pasted";
import type { Known } from "../src/lib/bulk/rows";
import type { SaidName } from "../src/lib/terms";

const known: Known = {
  accounts: new Set(["Test1"]),
  viewable: new Set(["Test1"]),
  tickers: new Set(["IBM", "KO"]),
  businessDate: "2026-01-30",
};

describe("a typed cell", () => {
  it.each([
    ["quantity", "1,000", "1000"],
    ["quantity", " 1 000.50 ", "1000.50"],
    ["quantity", "10k", "10000"],
    ["quantity", "1.25m", "1250000"],
    ["quantity", "1.2345k", "1234.5"],
    ["quantity", "0.5k", "500"],
    ["price", "$143.50", "143.50"],
    ["price", ".5", "0.5"],
    // What could be either is left as it is, for the check to complain of.
    ["price", "1.000,50", "1.000,50"],
    ["price", "1,00", "1,00"],
    ["price", "-5", "-5"],
    ["price", "$", "$"],
    ["price", "k", "k"],
    ["side", "B", "buy"],
    ["side", "Sold", "sell"],
    ["side", "hold", "hold"],
    ["ticker", " ibm ", "IBM"],
    ["trade_date", "1/9/2026", "2026-01-09"],
    ["trade_date", "9.1.2026", "2026-01-09"],
    ["trade_date", "20260109", "2026-01-09"],
    ["trade_date", "today", "2026-01-30"],
    ["trade_date", "soon", "soon"],
    ["note", "  a   note ", "a note"],
  ] as [SaidName, string, string][])("%s: %j is %j", (name, typed, wanted) => {
    expect(normalised(name, typed, known.businessDate)).toBe(wanted);
  });
});

describe("what is pasted", () => {
  it("goes by its headings where there are some", () => {
    expect(pastedOf("Symbol\tB/S\tColour\tQty\nIBM\tB\tred\t5\r\n", [])).toEqual({
      columns: ["ticker", "side", null, "quantity"],
      lines: [["IBM", "B", "red", "5"]],
    });
  });
  it("goes from the cell on where there are none", () => {
    const from: SaidName[] = ["ticker", "side"];
    expect(pastedOf("IBM\tbuy\nKO\tsell", from)).toEqual({
      columns: from,
      lines: [["IBM", "buy"], ["KO", "sell"]],
    });
  });
});

describe("rows that are typed", () => {
  const typed = (values: Partial<Record<SaidName, string>>) => {
    const bulk = new Bulk();
    const editing = new Editing(bulk);
    const [row] = editing.add(1, known);
    if (row === undefined) throw new Error("no row");
    const cells = Object.entries(values).map(([name, text]) => ({ row, name: name as SaidName, typed: text }));
    editing.set(cells, known);
    return { bulk, editing, row };
  };

  it("are ready once nothing is wrong, and say what was typed", () => {
    const { bulk, row } = typed({ ticker: "ibm", side: "b", quantity: "1,000", price: "143.5" });
    expect(row).toMatchObject({ account: "Test1", ticker: "IBM", side: "buy", quantity: "1000", problem: "" });
    expect(row.typed).toMatchObject({ quantity: "1,000", ticker: "ibm", price: undefined });
    expect([bulk.total, bulk.counts.invalid, bulk.bookable]).toEqual([1, 0, 1]);
  });

  it("say by cell what is wrong", () => {
    const { bulk, row } = typed({ ticker: "XX", side: "buy", quantity: "0", price: "1" });
    expect(row.wrong).toEqual({ ticker: "There is no instrument XX.", quantity: "The quantity must be above zero." });
    expect(bulk.counts.invalid).toBe(1);
  });

  it("go back step by step, and forth again", () => {
    const { bulk, editing, row } = typed({ ticker: "IBM", side: "buy", quantity: "5", price: "1" });
    editing.set([{ row, name: "quantity", typed: "10k" }], known);
    expect(row.quantity).toBe("10000");
    editing.undo(known);
    expect([row.quantity, row.typed?.quantity]).toEqual(["5", undefined]);
    editing.undo(known);
    expect([row.ticker, bulk.counts.invalid, bulk.counts.empty]).toEqual(["", 0, 1]);
    editing.undo(known);
    expect([bulk.total, bulk.counts.invalid, editing.canUndo]).toEqual([0, 0, false]);
    editing.redo(known);
    editing.redo(known);
    editing.redo(known);
    expect([bulk.total, bulk.counts.invalid, bulk.rows.get(row.n)?.quantity, editing.canRedo]).toEqual([1, 0, "10000", false]);
  });

  it("are one step when they are filled or pasted together", () => {
    const { bulk, editing } = typed({ ticker: "IBM" });
    editing.together(() => {
      const rows = editing.add(2, known);
      editing.set(rows.map((row) => ({ row, name: "ticker" as const, typed: "KO" })), known);
    });
    expect(bulk.total).toBe(3);
    editing.undo(known);
    expect(bulk.total).toBe(1);
  });

  it("stay as they were booked", () => {
    const { editing, row } = typed({ ticker: "IBM" });
    row.outcome = "booked";
    editing.set([{ row, name: "ticker", typed: "KO" }], known);
    editing.undo(known);
    expect(row.ticker).toBe("IBM");
  });
});
