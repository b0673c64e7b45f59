/** Which columns a user wants, in what order, how wide and sorted how: kept in the browser. */

import type { ColumnState, GridApi } from "ag-grid-community";

import { keep, kept } from "../kept";
import { widthBefore } from "./fitting";

const name = (grid: string): string => `columns.${grid}`;

/** Puts back what was kept; columns that came since keep their defaults. */
export function restoreColumns<Row>(api: GridApi<Row>, grid: string): void {
  const state = kept(name(grid));
  if (!Array.isArray(state)) return;
  const known = state.filter(
    (each: Partial<ColumnState> | null): each is ColumnState => typeof each?.colId === "string",
  );
  api.applyColumnState({ state: known, applyOrder: true });
}

/** Keeps it from now on, each time the user changes something. */
export function rememberColumns<Row>(api: GridApi<Row>, grid: string): void {
  const keep = ({ source }: { source: string }): void => {
    // Not what the grid does by itself, such as fitting columns to its width.
    if (source === "flex" || source === "api" || source === "gridInitializing") return;
    save(api, grid);
  };
  api.addEventListener("columnMoved", keep);
  api.addEventListener("columnVisible", keep);
  api.addEventListener("columnPinned", keep);
  api.addEventListener("sortChanged", keep);
  api.addEventListener("columnResized", (event) => {
    if (event.finished) keep(event);
  });
}

export function save<Row>(api: GridApi<Row>, grid: string): void {
  keepColumns(
    grid,
    api.getColumnState().map(({ colId, width, flex, hide, pinned, sort, sortIndex }) => ({
      colId,
      // What the figures of now need is no choice of the user's.
      ...(widthBefore(api, colId) ?? { width, flex }),
      hide,
      pinned,
      sort,
      sortIndex,
    })),
  );
}

/** What is kept of a grid's columns; null where they are as at first. */
export function columnsKept(grid: string): unknown {
  return kept(name(grid));
}

export function keepColumns(grid: string, state: unknown): void {
  keep(name(grid), state);
}

export function forgetColumns<Row>(api: GridApi<Row>, grid: string): void {
  api.resetColumnState();
  keep(name(grid), null);
}
