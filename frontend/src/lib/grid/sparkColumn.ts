/** A column with an instrument's day as a small line; its value is the change in percent. */

import type { ColDef, ICellRendererComp, ICellRendererParams } from "ag-grid-community";

import { percentNumber } from "../quotes";
import { changeOf, HEIGHT, sparkOf, sparkWords, WIDTH } from "../sparks/spark";
import type { Quoted, Sparks } from "../sparks/sparks";

export const SPARK = "day_line";

/** What a cell needs to know of its row. */
export interface SparkOf<Row> {
  sparks: Sparks;
  asOf: (row: Row) => string | null;
  isStale: (row: Row) => boolean;
}

type Params<Row> = ICellRendererParams<Row> & SparkOf<Row>;

const SVG = "http://www.w3.org/2000/svg";

let blank: HTMLElement | undefined;

/** Made once and copied: a scrolled grid makes many. */
function blankCell(): HTMLElement {
  if (blank === undefined) {
    blank = document.createElement("span");
    blank.className = "spark";
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("width", String(WIDTH));
    drawing.setAttribute("height", String(HEIGHT));
    drawing.setAttribute("aria-hidden", "true");
    for (const part of ["base", "path", "end"])
      drawing.appendChild(document.createElementNS(SVG, "path")).setAttribute("class", part);
    const words = document.createElement("span");
    words.className = "sr-only";
    blank.append(drawing, words);
  }
  return blank.cloneNode(true) as HTMLElement;
}

/** What is drawn already is left alone. */
function draw(part: Element | undefined, path: string): void {
  if (part !== undefined && part.getAttribute("d") !== path) part.setAttribute("d", path);
}

export class SparkCell<Row extends Quoted> implements ICellRendererComp<Row> {
  #gui!: HTMLElement;
  #parts!: Element[];

  init(params: Params<Row>): void {
    this.#gui = blankCell();
    this.#parts = [...this.#gui.querySelectorAll("path, .sr-only")];
    this.refresh(params);
  }

  getGui(): HTMLElement {
    return this.#gui;
  }

  refresh({ data, sparks, asOf, isStale }: Params<Row>): boolean {
    if (data === undefined) return true;
    const line = sparks.lineOf(data.ticker);
    const tip = sparks.tipOf(data, asOf(data));
    const stale = isStale(data);
    const spark = sparkOf(line, tip, sparks.span);
    const [base, path, end, words] = this.#parts;
    draw(base, spark?.base ?? "");
    draw(path, spark?.path ?? "");
    draw(end, spark?.end ?? "");
    const name = `spark ${spark === null ? "none" : spark.way}${stale ? " stale" : ""}`;
    if (this.#gui.className !== name) this.#gui.className = name;
    const said = sparkWords(line, tip, stale);
    if (words !== undefined && words.textContent !== said) words.textContent = said;
    return true;
  }
}

export const comparePercents = (left: string | null, right: string | null, descending: boolean): number => {
  const [a, b] = [percentNumber(left), percentNumber(right)];
  if (a === b) return 0;
  if (a === null) return descending ? -1 : 1;
  if (b === null) return descending ? 1 : -1;
  return a - b;
};

/** A shown percentage as a column's value: sorted and filtered as a number, unknown last. */
export function percentColumn<Row>(of: (row: Row) => string | null): ColDef<Row> {
  const value = ({ data }: { data?: Row | undefined }): string | null => (data === undefined ? null : of(data));
  return {
    valueGetter: value,
    filter: "agNumberColumnFilter",
    filterValueGetter: (params) => percentNumber(value(params)),
    comparator: (left: string | null, right: string | null, _a, _b, descending) =>
      comparePercents(left, right, descending),
    valueFormatter: ({ value: shown }) => (shown as string | null) ?? "n/a",
  };
}

export function sparkColumn<Row extends Quoted>(of: SparkOf<Row>): ColDef<Row> {
  return {
    colId: SPARK,
    headerName: "Day",
    headerTooltip: "The business date's prices so far; dashed is the previous close. Sorts by the change in percent.",
    width: WIDTH + 16,
    minWidth: WIDTH + 16,
    ...percentColumn<Row>(({ price, previous_close }) => changeOf(price, previous_close)),
    // Typing "5" into the filter asks for no changes in percent.
    getQuickFilterText: () => "",
    cellRenderer: SparkCell,
    cellRendererParams: of,
    tooltipValueGetter: ({ data }) =>
      data === undefined
        ? null
        : sparkWords(of.sparks.lineOf(data.ticker), of.sparks.tipOf(data, of.asOf(data)), of.isStale(data)),
  };
}
