/** Kinds of columns: exact decimals, and profits and losses. */

import type { ColDef, ColDefField } from "ag-grid-community";

import type { Decimal } from "../answers/base";
import type { Figures } from "../figures";
import * as money from "../money";
import { explanation } from "../show";
import { FURTHER, type TermName } from "../terms";
import type { FigureContext } from "./fitting";
import type { Moves } from "./moves";

/** At least `width` pixels; wider columns also get more of what is left of the grid. */
export function wide(width: number): { minWidth: number; flex: number } {
  return { minWidth: width, flex: width };
}

interface Judged {
  pnl_valid: boolean;
  pnl_reason?: string | null;
}

interface NumberColumn<Row> {
  field: keyof Row & string;
  headerName: string;
  width: number;
  show: (value: Decimal) => string;
  /** The figure of a row, where it is not the field itself. */
  of?: (row: Row) => Decimal | null;
  moves?: Moves;
  /** What else stands in the cell of a row, in pixels. */
  beside?: (row: Row) => number;
}

/** A right-aligned decimal; null is "n/a", and sorts last. */
export function numberColumn<Row extends object>(column: NumberColumn<Row>): ColDef<Row> {
  const { field, headerName, width, show, moves, beside, of } = column;
  const figure = of ?? ((row: Row) => row[field] as Decimal | null);
  const moved = (row: Row | undefined, way: -1 | 1): boolean =>
    row !== undefined && moves?.get(row)?.[field] === way;
  const context: FigureContext<Row> = { show, places: 0, ...(beside && { beside }), ...(of && { of }) };
  return {
    colId: field,
    headerName,
    ...wide(width),
    context,
    type: "rightAligned",
    filter: "agNumberColumnFilter",
    // Sorting and filtering may round; what is shown and exported never does.
    filterValueGetter: ({ data }) => {
      const value = data === undefined ? null : figure(data);
      return value === null ? null : Number(value);
    },
    // A field is read straight, and a sort reads a hundred thousand; a getter is called each time.
    ...(of === undefined
      ? { field: field as unknown as ColDefField<Row> }
      : { valueGetter: ({ data }: { data?: Row | undefined }) => (data === undefined ? null : of(data)) }),
    // The grid keeps a copy of the context: that one is told of more decimals.
    valueFormatter: ({ value, colDef }) =>
      value === null
        ? "n/a"
        : money.aligned(show(value as Decimal), (colDef.context as FigureContext<Row>).places),
    tooltipValueGetter: ({ value, valueFormatted }) =>
      money.isBrief((valueFormatted ?? "").trimEnd()) ? money.quantity(value as Decimal) : null,
    comparator: (left: Decimal | null, right: Decimal | null, _a, _b, descending) =>
      money.compareDecimals(left, right, descending),
    enableCellChangeFlash: moves !== undefined,
    cellClassRules: {
      unknown: ({ value }) => value === null,
      "moved-up": ({ data }) => moved(data, 1),
      "moved-down": ({ data }) => moved(data, -1),
    },
  };
}

/** A profit or loss: signed, coloured, and marked when it is not to be relied on. */
export function pnlColumn<Row extends object & Judged>(
  column: Omit<NumberColumn<Row>, "show">,
): ColDef<Row> {
  const base = numberColumn<Row>({ ...column, show: money.signedMoney });
  const shownSign = (value: Decimal | null): number => {
    const rough = Number(value);
    // Each cell asks twice: what is far from 0 need not be rounded exactly to tell.
    return Math.abs(rough) >= 1 ? Math.sign(rough) : money.sign(money.round(value ?? "0", 2));
  };
  return {
    ...base,
    cellClassRules: {
      ...(base.cellClassRules as object),
      gain: ({ value }) => shownSign(value as Decimal | null) > 0,
      loss: ({ value }) => shownSign(value as Decimal | null) < 0,
      invalid: ({ data }) => data?.pnl_valid === false,
    },
    tooltipValueGetter: ({ data }) =>
      data?.pnl_valid === false ? explanation(data.pnl_reason ?? null) : null,
  };
}

/** What the day's trades cost, and what is left after it. */
export function netColumns<Row extends Figures & Judged>(width: number, moves?: Moves): ColDef<Row>[] {
  const more = moves === undefined ? {} : { moves };
  return [
    {
      ...numberColumn<Row>({ field: "fees", headerName: "Fees", width: 56, show: money.money, ...more }),
      headerTooltip: "Of the session's trades; P&L is before them",
    },
    {
      ...pnlColumn<Row>({ field: "net_pnl", headerName: "Net P&L", width, ...more }),
      headerTooltip: "Total P&L less fees",
    },
  ];
}

/** The terms that have no column of their own, hidden until they are chosen. */
export function furtherColumns<Row extends Partial<Record<TermName, string | null>>>(): ColDef<Row>[] {
  return FURTHER.map(({ name, label, kind }) => ({
    colId: name,
    headerName: label,
    ...wide(120),
    hide: true,
    valueGetter: ({ data }) => data?.[name] ?? "",
    tooltipValueGetter: ({ value }) => value as string,
    ...(kind === "amount" && { type: "rightAligned" }),
  }));
}
