/** A range of cells: which they are, what is copied of them, and what they come to. */

import type { GridApi, IRowNode } from "ag-grid-community";

import type { Decimal } from "../answers/base";
import { safeCell } from "../csv";
import * as money from "../money";
import { figureOf } from "./fitting";

export interface Cell {
  /** A row's id, not its place: rows move under a selection, and it stays with them. */
  row: string;
  column: string;
}

export interface Summary {
  /** Cells, and how many of them are figures. */
  cells: number;
  count: number;
  sum: string | null;
  average: string | null;
}

/** Decimals of an average that is no amount of money. */
const AVERAGE_DECIMALS = 4;

export class CellRange<Row extends object> {
  #rows: ReadonlySet<string> = new Set();
  #columns: readonly string[] = [];

  constructor(private readonly api: GridApi<Row>) {}

  get size(): number {
    return this.#rows.size * this.#columns.length;
  }

  get rows(): ReadonlySet<string> {
    return this.#rows;
  }

  get columns(): readonly string[] {
    return this.#columns;
  }

  has(row: string | undefined, column: string): boolean {
    return row !== undefined && this.#rows.has(row) && this.#columns.includes(column);
  }

  clear(): void {
    this.#rows = new Set();
    this.#columns = [];
  }

  /** All cells of the rectangle between two cells as they are shown now. */
  span(from: Cell, to: Cell): void {
    const [first, last] = [this.placeOf(from.row), this.placeOf(to.row)];
    if (first === null || last === null) return;
    const rows = new Set<string>();
    for (let n = Math.min(first, last); n <= Math.max(first, last); n++) {
      const id = this.api.getDisplayedRowAtIndex(n)?.id;
      if (id !== undefined) rows.add(id);
    }
    const columns = this.shownColumns();
    const ends = [columns.indexOf(from.column), columns.indexOf(to.column)];
    this.#rows = rows;
    this.#columns = columns.slice(Math.max(0, Math.min(...ends)), Math.max(...ends) + 1);
  }

  /** The columns that can be copied, in their order. */
  shownColumns(): string[] {
    return this.api
      .getAllDisplayedColumns()
      .filter((column) => column.getColDef().headerName)
      .map((column) => column.getColId());
  }

  placeOf(row: string): number | null {
    return this.api.getRowNode(row)?.rowIndex ?? null;
  }

  /** Lines of cells between tabs, which a spreadsheet takes as they are: figures exact and plain. */
  text(withHeaders: boolean): string {
    const lines = this.#nodes().map((node) =>
      this.#columns.map((column) => this.#plain(node, column)).join("\t"),
    );
    if (withHeaders)
      lines.unshift(this.#columns.map((column) => this.api.getColumnDef(column)?.headerName ?? column).join("\t"));
    return lines.join("\r\n");
  }

  summary(): Summary {
    const nodes = this.#nodes();
    const figures: Decimal[] = [];
    const shows = new Set<(value: Decimal) => string>();
    for (const column of this.#columns) {
      const figure = figureOf(this.api.getColumnDef(column) ?? undefined);
      if (figure === null) continue;
      shows.add(figure.show);
      for (const node of nodes) {
        const value = this.#value(node, column) as Decimal | null | undefined;
        if (value !== null && value !== undefined) figures.push(value);
      }
    }
    const [only] = shows;
    const sum = figures.length === 0 ? null : money.sum(figures);
    const isMoney = only === money.money || only === money.signedMoney;
    const show = shows.size === 1 && isMoney && only !== undefined ? only : money.quantity;
    const decimals = isMoney ? 2 : AVERAGE_DECIMALS;
    return {
      cells: nodes.length * this.#columns.length,
      count: figures.length,
      sum: sum === null ? null : show(sum),
      average: sum === null ? null : show(money.share(sum, figures.length, decimals)),
    };
  }

  /** Rows that are still there and shown, in the order in which they are. */
  #nodes(): IRowNode<Row>[] {
    return [...this.#rows]
      .flatMap((id) => this.api.getRowNode(id) ?? [])
      .filter((node) => node.displayed)
      .toSorted((left, right) => (left.rowIndex ?? 0) - (right.rowIndex ?? 0));
  }

  #value(node: IRowNode<Row>, column: string): unknown {
    return this.api.getCellValue({ rowNode: node, colKey: column });
  }

  #plain(node: IRowNode<Row>, column: string): string {
    const value = this.#value(node, column);
    if (value === null || value === undefined) return "";
    if (typeof value === "number" || figureOf(this.api.getColumnDef(column) ?? undefined) !== null)
      return String(value);
    const shown = this.api.getCellValue({ rowNode: node, colKey: column, useFormatter: true }) as unknown;
    return safeCell(String(shown ?? "").replace(/[\t\r\n]+/g, " ").replace(/^−(?=\d)/, "-"));
  }
}
