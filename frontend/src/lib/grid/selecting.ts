/**
 * Selecting a range of cells, by dragging or by Shift and the arrows, and copying it.
 *
 * AG Grid's own ranges are not part of its community edition. What is kept is which rows and
 * columns were selected, so ticks, sorting and rows that come move nothing.
 */

import type { CellFocusedEvent, CellMouseDownEvent, CellMouseOverEvent, Column, GridApi } from "ag-grid-community";

import { type Cell, CellRange, type Summary } from "./range";

const ARROWS: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** A sum over thousands of cells need not follow each of twenty changes a second, in ms. */
const SELDOM = 500;

const FIELDS = "input, select, textarea";

export class Selecting<Row extends object> {
  readonly range: CellRange<Row>;
  /** Where the range began, and the focused cell; and its other end. */
  #anchor: Cell | null = null;
  #head: Cell | null = null;
  #isDragging = false;
  /** The click that ends a drag selects no row, and focus that it moves begins no range. */
  #isPassedOver = false;
  #isExtending = false;
  #isMoving = false;
  #withHeaders = false;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: GridApi<Row>,
    private readonly place: HTMLElement,
    private readonly onchange: (summary: Summary | null) => void,
    private readonly oncopy: (cells: number) => void,
    /** Brings all rows, before all are selected. */
    private readonly complete: () => Promise<void>,
  ) {
    this.range = new CellRange(api);
    api.addEventListener("cellMouseDown", (event) => this.#down(event));
    api.addEventListener("cellMouseOver", (event) => this.#over(event));
    api.addEventListener("cellFocused", (event) => this.#focused(event));
    api.addEventListener("modelUpdated", () => this.#follow());
  }

  /** Listens; returns how to stop. */
  start(): () => void {
    const { place } = this;
    const up = (): void => void (this.#isDragging = false);
    const press = (event: MouseEvent): void => void (this.#isExtending = event.shiftKey);
    const click = (event: MouseEvent): void => {
      if (this.#isPassedOver) event.stopPropagation();
      this.#isPassedOver = false;
    };
    const keys = (event: KeyboardEvent): void => this.#pressed(event);
    const copy = (event: ClipboardEvent): void => this.#copy(event);
    addEventListener("mouseup", up);
    place.addEventListener("mousedown", press, true);
    place.addEventListener("click", click, true);
    place.addEventListener("keydown", keys, true);
    document.addEventListener("copy", copy);
    return () => {
      removeEventListener("mouseup", up);
      place.removeEventListener("mousedown", press, true);
      place.removeEventListener("click", click, true);
      place.removeEventListener("keydown", keys, true);
      document.removeEventListener("copy", copy);
    };
  }

  #down({ event, node, column }: CellMouseDownEvent<Row>): void {
    const mouse = event as MouseEvent | null | undefined;
    const isOwn = mouse?.target instanceof Element && mouse.target.closest("button, input, a") !== null;
    const cell = cellOf(node.id, column);
    if (mouse?.button !== 0 || isOwn || cell === null) return;
    this.#isPassedOver = mouse.shiftKey && this.#anchor !== null;
    if (mouse.shiftKey && this.#anchor !== null) this.#extend(cell);
    else this.#begin(cell);
    this.#isDragging = true;
    this.#isExtending = false;
  }

  #over({ event, node, column }: CellMouseOverEvent<Row>): void {
    const cell = cellOf(node.id, column);
    if (!this.#isDragging || cell === null || ((event as MouseEvent | null)?.buttons ?? 0) % 2 === 0) return;
    if (cell.row === this.#head?.row && cell.column === this.#head.column) return;
    this.#isPassedOver = true;
    this.#extend(cell);
  }

  #focused({ rowIndex, column, rowPinned }: CellFocusedEvent<Row>): void {
    if (this.#isExtending || this.#isDragging || rowIndex === null || rowPinned || typeof column !== "object") return;
    const cell = cellOf(this.api.getDisplayedRowAtIndex(rowIndex)?.id, column);
    const isSame = cell !== null && cell.row === this.#anchor?.row && cell.column === this.#anchor.column;
    if (cell !== null && !isSame) this.#begin(cell);
  }

  #pressed(event: KeyboardEvent): void {
    if (event.target instanceof Element && event.target.closest(FIELDS) !== null) return;
    const mod = event.ctrlKey || event.metaKey;
    const step = ARROWS[event.key];
    if (step !== undefined && event.shiftKey && !event.altKey) this.#step(step, mod, event);
    else if (step !== undefined) this.#move();
    else if (mod && !event.altKey && event.code === "KeyA") {
      event.preventDefault();
      event.stopPropagation();
      this.#all();
      this.#onceComplete(() => this.#all());
    }
    else if (mod && event.altKey && event.code === "KeyC") {
      event.preventDefault();
      this.#copyWithHeaders();
    } else if (event.key === "Escape" && this.range.size > 1) {
      event.preventDefault();
      event.stopPropagation();
      if (this.#anchor !== null) this.#begin(this.#anchor);
    }
  }

  /** The grid moves its focus now, and tells of it later: until then rows that move take none along. */
  #move(): void {
    this.#isMoving = true;
    setTimeout(() => {
      this.#isMoving = false;
      const focused = this.api.isDestroyed() ? null : this.api.getFocusedCell();
      const row = focused === null ? undefined : this.api.getDisplayedRowAtIndex(focused.rowIndex)?.id;
      const cell = cellOf(row, focused?.column);
      if (cell !== null) this.#begin(cell);
    });
  }

  #step([down, right]: readonly [number, number], toTheEnd: boolean, event: KeyboardEvent): void {
    const head = this.#head;
    const at = head === null ? null : this.range.placeOf(head.row);
    if (head === null || at === null) return;
    event.preventDefault();
    event.stopPropagation();
    const columns = this.range.shownColumns();
    const last = this.api.getDisplayedRowCount() - 1;
    const next = (from: number, by: number, most: number): number =>
      Math.max(0, Math.min(most, toTheEnd && by !== 0 ? by * most : from + by));
    const place = next(at, down, last);
    const column = columns[next(columns.indexOf(head.column), right, columns.length - 1)];
    const row = this.api.getDisplayedRowAtIndex(place)?.id;
    if (row === undefined || column === undefined) return;
    this.#extend({ row, column });
    this.api.ensureIndexVisible(place);
    this.api.ensureColumnVisible(column);
    // Where the newest only are shown, the end is further down.
    if (toTheEnd && down > 0)
      this.#onceComplete(() => {
        const end = this.api.getDisplayedRowAtIndex(this.api.getDisplayedRowCount() - 1)?.id;
        if (end !== undefined) this.#extend({ row: end, column });
      });
  }

  /** When all rows are there, unless something else is selected by then. */
  #onceComplete(does: () => void): void {
    const [anchor, head] = [this.#anchor, this.#head];
    void this.complete().then(() => {
      if (!this.api.isDestroyed() && anchor === this.#anchor && head === this.#head) does();
    });
  }

  #all(): void {
    const columns = this.range.shownColumns();
    const first = this.api.getDisplayedRowAtIndex(0)?.id;
    const last = this.api.getDisplayedRowAtIndex(this.api.getDisplayedRowCount() - 1)?.id;
    const [left, right] = [columns.at(0), columns.at(-1)];
    if (first === undefined || last === undefined || left === undefined || right === undefined) return;
    this.#anchor = { row: first, column: left };
    this.#extend({ row: last, column: right });
  }

  #begin(cell: Cell): void {
    this.#anchor = this.#head = cell;
    this.#change(() => this.range.span(cell, cell));
  }

  #extend(to: Cell): void {
    const from = this.#anchor;
    if (from === null) return this.#begin(to);
    this.#head = to;
    this.#change(() => this.range.span(from, to));
  }

  /** Draws what was and what is marked. */
  #change(change: () => void): void {
    const [rows, columns] = [this.range.rows, this.range.columns];
    change();
    const nodes = [...new Set([...rows, ...this.range.rows])].flatMap((id) => this.api.getRowNode(id) ?? []);
    this.api.refreshCells({
      rowNodes: nodes,
      columns: [...new Set([...columns, ...this.range.columns])],
      suppressFlash: true,
    });
    this.#tell();
  }

  #tell(): void {
    this.onchange(this.range.size > 1 ? this.range.summary() : null);
  }

  /** Rows have moved or changed: the focus goes with its row, and the sum follows. */
  #follow(): void {
    if (this.range.size > 1 && this.#telling === undefined)
      this.#telling = setTimeout(() => {
        this.#telling = undefined;
        if (!this.api.isDestroyed()) this.#tell();
      }, SELDOM);
    const [anchor, focused] = [this.#anchor, this.api.getFocusedCell()];
    const at = anchor === null ? null : this.range.placeOf(anchor.row);
    if (anchor === null || at === null || focused === null || focused.rowIndex === at) return;
    if (this.#isMoving || !this.place.contains(document.activeElement)) return;
    this.api.setFocusedCell(at, anchor.column);
  }

  /** The browser has no keys for this, so no event of its own tells of it. */
  #copyWithHeaders(): void {
    const [text, cells] = [this.range.text(true), this.range.size];
    void navigator.clipboard?.writeText(text).then(() => this.oncopy(cells));
    if (navigator.clipboard !== undefined) return;
    // Without TLS there is no clipboard to write to; asked for, the browser tells as of Ctrl+C.
    const asked = (event: Event): void => event.preventDefault();
    document.addEventListener("beforecopy", asked);
    this.#withHeaders = true;
    document.execCommand("copy");
    this.#withHeaders = false;
    document.removeEventListener("beforecopy", asked);
  }

  #copy(event: ClipboardEvent): void {
    if (!this.place.contains(document.activeElement) || this.range.size === 0) return;
    if (document.activeElement?.closest(FIELDS) !== null || (getSelection()?.toString() ?? "") !== "") return;
    event.preventDefault();
    event.clipboardData?.setData("text/plain", this.range.text(this.#withHeaders));
    this.oncopy(this.range.size);
  }
}

function cellOf(row: string | undefined, column: Column | null | undefined): Cell | null {
  if (row === undefined || column === null || column === undefined || !column.getColDef().headerName) return null;
  return { row, column: column.getColId() };
}
