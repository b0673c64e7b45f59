/**
 * Columns as wide as the figures and short words in them, so that none is cut.
 *
 * A figure's width follows from how many digits it has: the digits are equally wide. Rows are asked
 * for that alone, and nothing is drawn or formatted a second time. What a column was widened for may
 * go: it is as narrow as before once other rows take the place of all, and not while they only change.
 */

import type { ColDef, Column, GridApi } from "ag-grid-community";

import type { Decimal } from "../answers/base";
import * as money from "../money";

/** What a column of figures says of itself, as its `context`. */
export interface FigureContext<Row> {
  show: (value: Decimal) => string;
  /** The most decimals that are shown in it, for all of which each figure has room. */
  places: number;
  /** The figure, where it is not the row's field of the column's name. */
  of?: (row: Row) => Decimal | null;
  /** What else stands in the cell of this row, in pixels. */
  beside?: (row: Row) => number;
}

/** What a column of a few short words says of itself, as its `context`. */
interface WordsContext<Row> {
  said: (row: Row) => string;
}

interface Width {
  width: number;
  flex: number | null;
}

/** Padding of a cell, its border, and a little air, in pixels. */
const AROUND = 18;
/** The same of a heading. */
const AROUND_HEADING = 18;
/** A sorted one has its arrow, and the filter's button beside that. */
const ARROW_AND_FILTER = 58;
/** And the sort's number, where there are several. */
const SORT_NUMBER = 16;
/** Rows that came otherwise than in transactions are looked at again after so long, in ms. */
const SELDOM = 1_000;

const CELL = "600 12.5px Inter, system-ui, sans-serif";
const HEADING = "600 11px Inter, system-ui, sans-serif";

export type Measure = (text: string, font: string) => number;

/** What a column says of its figures; null of one that has none. */
export function figureOf<Row>(column: ColDef<Row> | undefined): FigureContext<Row> | null {
  const context = column?.context as FigureContext<Row> | undefined;
  return typeof context?.show === "function" ? context : null;
}

/** The words of a row; null of a column that has none. */
function wordsOf<Row>(column: ColDef<Row>): WordsContext<Row>["said"] | null {
  const context = column.context as WordsContext<Row> | undefined;
  return typeof context?.said === "function" ? context.said : null;
}

/** A number's form: its sign and how many digits stand before and behind the point. */
function formOf(value: Decimal): number {
  const negative = value.startsWith("-") ? 1 : 0;
  const point = value.indexOf(".");
  const whole = (point < 0 ? value.length : point) - negative;
  return (whole * 64 + (point < 0 ? 0 : value.length - point - 1)) * 2 + negative;
}

/** The widest number of a form; not of nines, which would round up to one digit more. */
function widestOf(form: number): Decimal {
  const [negative, digits] = [form % 2, Math.floor(form / 2)];
  const [whole, fraction] = [Math.floor(digits / 64), digits % 64];
  const point = fraction === 0 ? "" : `.${"8".repeat(fraction)}`;
  return `${negative === 1 ? "-" : ""}${"8".repeat(whole)}${point}`;
}

const fittings = new WeakMap<object, Pick<Fitting<object>, "renew" | "before">>();

/** Other rows have taken the place of all that this grid had. */
export function rowsReplaced(api: object): void {
  fittings.get(api)?.renew();
}

/** How wide a column is without what its rows made it; null of one that nothing has widened. */
export function widthBefore(api: object, column: string): Width | null {
  return fittings.get(api)?.before(column) ?? null;
}

export class Fitting<Row extends object> {
  /** The least width of a column in which none of its figures was cut so far. */
  #needs = new Map<string, number>();
  #known = new Map<string, Set<number>>();
  #shifted = new Set<string>();
  /** The columns that were widened here, and as what. */
  #widened = new Map<string, Width>();
  #words = new Set<string>();
  #lastLook = Number.NEGATIVE_INFINITY;
  #coming: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: GridApi<Row>,
    private readonly measure: Measure = measured,
  ) {
    fittings.set(api, this);
    for (const event of ["gridSizeChanged", "columnVisible", "sortChanged"] as const)
      api.addEventListener(event, () => this.fit());
    api.addEventListener("columnsReset", () => {
      this.#widened.clear();
      this.fit();
    });
    api.addEventListener("columnResized", ({ columns, source }) => {
      // A width that a person chose is theirs, as long as nothing is cut in it.
      if (source === "uiColumnResized" || source === "autosizeColumns")
        for (const column of columns ?? []) this.#widened.delete(column.getColId());
      this.fit();
    });
    api.addEventListener("asyncTransactionsFlushed", ({ results }) => {
      for (const { add = [], update = [] } of results)
        this.see([...add, ...update].flatMap(({ data }) => data ?? []));
    });
    api.addEventListener("rowDataUpdated", () => this.#look());
    api.addEventListener("pinnedRowDataChanged", () => this.see(pinned(api)));
    this.#look();
    // Another font may have stood in for ours until now.
    void document.fonts?.ready.then(() => {
      if (api.isDestroyed()) return;
      shapes.clear();
      this.renew();
    });
  }

  /** Measures anew what is there now, and takes back what only was needed for what is not. */
  renew(): void {
    if (this.api.isDestroyed()) return;
    this.#known.clear();
    this.#needs.clear();
    this.#words.clear();
    const before = new Map<FigureContext<Row>, number>();
    const columns = (this.api.getColumns() ?? []).flatMap((column) => {
      const figure = figureOf<Row>(column.getColDef());
      return figure === null ? [] : [{ id: column.getColId(), figure }];
    });
    for (const { figure } of columns) {
      before.set(figure, figure.places);
      figure.places = 0;
    }
    const rows = this.#rows();
    // What the points need is known after all; then each figure has room for that.
    this.#measure(rows);
    this.#known.clear();
    this.#measure(rows);
    this.#shifted.clear();
    const shifted = columns.filter(({ figure }) => figure.places !== before.get(figure)).map(({ id }) => id);
    if (shifted.length > 0) this.api.refreshCells({ columns: shifted, force: true, suppressFlash: true });
    const state = [...this.#widened].map(([colId, width]) => ({ colId, ...width }));
    this.#widened.clear();
    if (state.length > 0) this.api.applyColumnState({ state });
    this.fit();
  }

  before(column: string): Width | null {
    return this.#widened.get(column) ?? null;
  }

  /** Looks at all rows, but seldom. */
  #look(): void {
    const wait = this.#lastLook + SELDOM - performance.now();
    if (wait <= 0) this.#seeAll();
    else this.#coming ??= setTimeout(() => this.#seeAll(), wait);
  }

  #seeAll(): void {
    clearTimeout(this.#coming);
    this.#coming = undefined;
    if (this.api.isDestroyed()) return;
    this.#lastLook = performance.now();
    this.see(this.#rows());
  }

  #rows(): Row[] {
    const rows: Row[] = [];
    this.api.forEachNode(({ data }) => data !== undefined && rows.push(data));
    return [...rows, ...pinned(this.api)];
  }

  /** These rows came, or changed. */
  see(rows: Iterable<Row>): void {
    if (this.api.isDestroyed()) return;
    this.#measure(rows);
    this.#shift();
    this.fit();
  }

  #measure(rows: Iterable<Row>): void {
    const columns = (this.api.getColumns() ?? []).flatMap((column) => {
      const [figure, said] = [figureOf<Row>(column.getColDef()), wordsOf<Row>(column.getColDef())];
      return figure === null && said === null ? [] : [{ id: column.getColId(), figure, said }];
    });
    for (const row of rows)
      for (const { id, figure, said } of columns) {
        if (said !== null) this.#text(id, said(row));
        if (figure === null) continue;
        const value =
          figure.of === undefined ? (row as Record<string, Decimal | null | undefined>)[id] : figure.of(row);
        if (value === null || value === undefined) continue;
        this.#figure(id, figure, value, figure.beside?.(row) ?? 0);
      }
  }

  /** Draws columns anew in which the points stand elsewhere now, and measures their figures again. */
  #shift(): void {
    if (this.#shifted.size === 0) return;
    const columns = [...this.#shifted];
    this.#shifted.clear();
    for (const id of columns) this.#known.delete(id);
    this.api.refreshCells({ columns, force: true, suppressFlash: true });
    // The places are known by now, so this ends.
    this.#look();
  }

  /** Widens what is too narrow for what was seen. */
  fit(): void {
    if (this.api.isDestroyed()) return;
    const narrow = this.api
      .getAllDisplayedColumns()
      .filter((column) => column.getActualWidth() < this.#need(column));
    for (const column of narrow) {
      const before = { width: column.getActualWidth(), flex: column.getFlex() };
      if (!this.#widened.has(column.getColId())) this.#widened.set(column.getColId(), before);
    }
    const wider = narrow.map((column) => ({ colId: column.getColId(), width: this.#need(column), flex: null }));
    if (wider.length > 0) this.api.applyColumnState({ state: wider });
  }

  #text(id: string, text: string): void {
    if (text === "" || this.#words.has(`${id}|${text}`)) return;
    this.#words.add(`${id}|${text}`);
    this.#require(id, Math.ceil(this.measure(text, CELL)) + AROUND);
  }

  #require(id: string, need: number): void {
    if (need > (this.#needs.get(id) ?? 0)) this.#needs.set(id, need);
  }

  #figure(id: string, figure: FigureContext<Row>, value: Decimal, beside: number): void {
    const form = formOf(value);
    const key = beside === 0 ? form : -(form * 256 + beside) - 1;
    let known = this.#known.get(id);
    if (known === undefined) this.#known.set(id, (known = new Set()));
    if (known.has(key)) return;
    known.add(key);
    const shown = figure.show(widestOf(form));
    const decimals = money.shownDecimals(shown);
    if (decimals > figure.places) {
      figure.places = decimals;
      this.#shifted.add(id);
    }
    this.#require(id, Math.ceil(this.measure(money.aligned(shown, figure.places), CELL)) + AROUND + beside);
  }

  /** A heading is not cut either. */
  #need(column: Column): number {
    const { headerName } = column.getColDef();
    const id = column.getColId();
    const figures = this.#needs.get(id) ?? 0;
    if (headerName === undefined || headerName === "") return figures;
    const around = AROUND_HEADING + (column.isSorting() ? ARROW_AND_FILTER : 0) + ((column.getSortIndex() ?? 0) > 0 ? SORT_NUMBER : 0);
    return Math.max(figures, Math.ceil(this.measure(headerName, HEADING)) + around);
  }
}

/** A total beneath the list is wider than what it adds up. */
function pinned<Row>(api: GridApi<Row>): Row[] {
  const count = api.getPinnedBottomRowCount();
  return Array.from({ length: count }, (_, index) => api.getPinnedBottomRow(index)?.data ?? []).flat() as Row[];
}

const shapes = new Map<string, number>();
let canvas: CanvasRenderingContext2D | null = null;

/** Pixels of a text; figures are tabular, so every digit counts as a 0. */
function measured(text: string, font: string): number {
  const shape = `${font}|${text.replace(/\d/g, "0")}`;
  let width = shapes.get(shape);
  if (width === undefined) {
    width = widthOf(shape.slice(font.length + 1), font);
    shapes.set(shape, width);
  }
  return width;
}

function widthOf(text: string, font: string): number {
  canvas ??= document.createElement("canvas").getContext("2d");
  if (canvas === null) return text.length * 8;
  canvas.font = font;
  return canvas.measureText(text).width;
}
