/**
 * Brings rows into a grid without holding the page up: a few at once, many in pieces.
 *
 * Between two pieces the page draws and answers. What changes meanwhile is kept for rows that are
 * still to come, and goes to the grid for those that are there.
 */

import type { GridApi } from "ag-grid-community";

import type { Delta } from "../live/connection";
import { rowsReplaced } from "./fitting";

/** So many rows go into a grid within one task of well below 100 ms. */
const PIECE = 1_000;

type Api<Row> = Pick<
  GridApi<Row>,
  "setGridOption" | "applyTransaction" | "applyTransactionAsync" | "flushAsyncTransactions"
>;

export class GridFeed<Row> {
  /** Rows that are still to come, by id, in their order. */
  #coming = new Map<string, Row>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isBegun = false;

  constructor(
    private readonly api: Api<Row>,
    private readonly id: (row: Row) => string,
    private readonly piece = PIECE,
  ) {}

  /** These rows and no others. */
  replace(rows: Iterable<Row>): void {
    clearTimeout(this.#timer);
    this.#coming.clear();
    this.api.flushAsyncTransactions();
    const all = [...rows];
    // The grid was made in this very task: the first of many rows come in one of their own.
    const atOnce = this.#isBegun || all.length <= this.piece ? this.piece : 0;
    this.#isBegun = true;
    this.api.setGridOption("rowData", all.slice(0, atOnce));
    for (const row of all.slice(atOnce)) this.#coming.set(this.id(row), row);
    this.#next();
  }

  change({ add, update, remove }: Delta<Row>): void {
    const gone = remove.filter((row) => !this.#coming.delete(this.id(row)));
    const here = update.filter((row) => {
      if (!this.#coming.has(this.id(row))) return true;
      this.#coming.set(this.id(row), row);
      return false;
    });
    if (add.length + here.length + gone.length > 0)
      this.api.applyTransactionAsync({ add, update: here, remove: gone });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#coming.clear();
  }

  #next(): void {
    if (this.#coming.size === 0) {
      rowsReplaced(this.api);
      return;
    }
    this.#timer = setTimeout(() => {
      const piece: Row[] = [];
      for (const [id, row] of this.#coming) {
        if (piece.length >= this.piece) break;
        piece.push(row);
        this.#coming.delete(id);
      }
      this.api.applyTransaction({ add: piece });
      this.#next();
    });
  }
}
