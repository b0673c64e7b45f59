import type { GridApi } from "ag-grid-community";
import { afterEach, describe, expect, it, vi } from "vitest";

import { Fitting, rowsReplaced, widthBefore } from "../src/lib/grid/fitting";

interface Row {
  amount: string;
  word: string;
}

/** A grid of two columns that knows its rows, and how wide its columns are. */
class Columns {
  rows: Row[] = [];
  widths = new Map([
    ["amount", { width: 60, flex: 60 as number | null }],
    ["word", { width: 60, flex: null as number | null }],
  ]);
  heard = new Map<string, (event: unknown) => void>();
  readonly defs = {
    amount: { context: { show: (value: string) => value, places: 0 } },
    word: { context: { said: ({ word }: Row) => word } },
  };
  addEventListener = (name: string, told: (event: unknown) => void): void => void this.heard.set(name, told);
  isDestroyed = (): boolean => false;
  forEachNode = (does: (node: { data: Row }) => void): void => this.rows.forEach((data) => does({ data }));
  getPinnedBottomRowCount = (): number => 0;
  getColumns = (): unknown[] => [...this.widths.keys()].map((id) => this.column(id as "amount" | "word"));
  getAllDisplayedColumns = this.getColumns;
  refreshCells = vi.fn();
  applyColumnState = ({ state }: { state: { colId: string; width: number; flex: number | null }[] }): void => {
    for (const { colId, width, flex } of state) this.widths.set(colId, { width, flex });
  };

  column(id: "amount" | "word"): unknown {
    return {
      getColId: () => id,
      getColDef: () => this.defs[id],
      getActualWidth: () => this.widths.get(id)?.width,
      getFlex: () => this.widths.get(id)?.flex,
      isSorting: () => false,
      getSortIndex: () => null,
    };
  }
}

const width = (grid: Columns, column: string): number => grid.widths.get(column)?.width ?? 0;

describe("columns as wide as what is in them", () => {
  vi.stubGlobal("document", {});
  afterEach(() => vi.useRealTimers());

  function fitted(...rows: Row[]): Columns {
    const grid = new Columns();
    grid.rows = rows;
    new Fitting(grid as unknown as GridApi<Row>, (text) => text.length * 10);
    return grid;
  }

  it("are widened by figures and by words", () => {
    const grid = fitted({ amount: "123456789", word: "Doubtful" });
    expect(width(grid, "amount")).toBeGreaterThanOrEqual(90);
    expect(width(grid, "word")).toBeGreaterThanOrEqual(80);
    expect(widthBefore(grid, "amount")).toEqual({ width: 60, flex: 60 });
  });

  it("stay so while their rows change, and are as before once others are there", () => {
    const grid = fitted({ amount: "123456789", word: "Doubtful" });
    const wide = width(grid, "amount");
    grid.rows = [{ amount: "1", word: "" }];
    grid.heard.get("rowDataUpdated")?.({});
    expect(width(grid, "amount")).toBe(wide);
    rowsReplaced(grid);
    expect(grid.widths.get("amount")).toEqual({ width: 60, flex: 60 });
    expect(grid.widths.get("word")).toEqual({ width: 60, flex: null });
    expect(widthBefore(grid, "amount")).toBeNull();
  });

  it("are as narrow as what is there now needs, and have room for its decimals alone", () => {
    const grid = fitted({ amount: "1.123456", word: "" }, { amount: "123456", word: "" });
    const wide = width(grid, "amount");
    grid.rows = [{ amount: "1234567", word: "" }];
    rowsReplaced(grid);
    expect(grid.defs.amount.context.places).toBe(0);
    expect(width(grid, "amount")).toBeLessThan(wide);
    expect(width(grid, "amount")).toBeGreaterThanOrEqual(70);
  });

  it("keep the width that a person gave them", () => {
    const grid = fitted({ amount: "123456789", word: "" });
    grid.widths.set("amount", { width: 300, flex: null });
    grid.heard.get("columnResized")?.({ source: "uiColumnResized", columns: [grid.column("amount")] });
    grid.rows = [{ amount: "1", word: "" }];
    rowsReplaced(grid);
    expect(width(grid, "amount")).toBe(300);
  });
});
