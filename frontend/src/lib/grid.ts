/** What both grids share of AG Grid: only the modules in use, one theme, and kinds of columns. */

import {
  CellStyleModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  type ColDef,
  HighlightChangesModule,
  ModuleRegistry,
  QuickFilterModule,
  RenderApiModule,
  RowApiModule,
  RowStyleModule,
  ScrollApiModule,
  themeQuartz,
  TooltipModule,
} from "ag-grid-community";

import * as money from "./money";
import { explanation } from "./show";
import type { Decimal } from "./types";

ModuleRegistry.registerModules([
  CellStyleModule,
  ClientSideRowModelApiModule,
  ClientSideRowModelModule,
  HighlightChangesModule,
  QuickFilterModule,
  RenderApiModule,
  RowApiModule,
  RowStyleModule,
  ScrollApiModule,
  TooltipModule,
]);

/** Colours are the page's own variables, so the grid follows its theme without a switch. */
export const theme = themeQuartz.withParams({
  backgroundColor: "var(--surface)",
  foregroundColor: "var(--text)",
  textColor: "var(--text)",
  chromeBackgroundColor: "var(--surface-raised)",
  headerBackgroundColor: "var(--surface-raised)",
  headerTextColor: "var(--text-muted)",
  headerFontSize: 11,
  headerFontWeight: 600,
  borderColor: "var(--line)",
  rowBorder: { color: "var(--line-faint)" },
  rowHoverColor: "var(--hover)",
  oddRowBackgroundColor: "var(--surface)",
  accentColor: "var(--accent)",
  tooltipBackgroundColor: "var(--surface-raised)",
  tooltipTextColor: "var(--text)",
  valueChangeValueHighlightBackgroundColor: "var(--flash)",
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  browserColorScheme: "inherit",
  fontFamily: "inherit",
  fontSize: 12.5,
  cellHorizontalPadding: 7,
  rowHeight: 27,
  headerHeight: 29,
});

/** Which way each figure of a row moved when it replaced its predecessor. */
export type Moves = WeakMap<object, Record<string, -1 | 1>>;

export function recordMoves<Row extends object>(
  moves: Moves,
  before: Row,
  after: Row,
  fields: readonly (keyof Row & string)[],
): void {
  const moved: Record<string, -1 | 1> = {};
  for (const field of fields) {
    const [old, now] = [before[field] as Decimal | null, after[field] as Decimal | null];
    if (old === null || now === null || old === now) continue;
    const direction = money.sign(money.sum([now, old.startsWith("-") ? old.slice(1) : `-${old}`]));
    if (direction !== 0) moved[field] = direction;
  }
  moves.set(after, moved);
}

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
  moves?: Moves;
}

/** A right-aligned decimal; null is "n/a", and sorts last. */
export function numberColumn<Row extends object>(column: NumberColumn<Row>): ColDef<Row> {
  const { field, headerName, width, show, moves } = column;
  const moved = (row: Row | undefined, way: -1 | 1): boolean =>
    row !== undefined && moves?.get(row)?.[field] === way;
  return {
    colId: field,
    headerName,
    ...wide(width),
    type: "rightAligned",
    valueGetter: ({ data }) => data?.[field] ?? null,
    valueFormatter: ({ value }) => (value === null ? "n/a" : show(value as Decimal)),
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
  const shownSign = (value: Decimal | null): number =>
    value === null ? 0 : money.sign(money.round(value, 2));
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
