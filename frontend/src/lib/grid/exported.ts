/** What a grid shows as a CSV file: its columns in their order, its rows as filtered and sorted,
 * figures exact and unformatted. */

import type { GridApi } from "ag-grid-community";

import { csvFile } from "../csv";

export function shownAsCsv<Row>(api: GridApi<Row>, preamble: Record<string, string> = {}): Blob {
  const columns = api.getAllDisplayedColumns().filter((column) => column.getColDef().headerName);
  const names = columns.map((column) => column.getColDef().headerName ?? column.getColId());
  const extra = Object.values(preamble);
  const rows: string[][] = [];
  api.forEachNodeAfterFilterAndSort((node) => {
    const values = columns.map((column) => {
      const value: unknown = api.getCellValue({ rowNode: node, colKey: column });
      return value === null || value === undefined ? "" : String(value);
    });
    rows.push([...extra, ...values]);
  });
  return csvFile([...Object.keys(preamble), ...names], rows);
}

export interface Table {
  /** Each heading, and whether what stands beneath is aligned at the right. */
  head: [name: string, isFigure: boolean][];
  rows: string[][];
}

/** The same to be printed: every row, not those in sight alone, each as it is shown. */
export function shownAsTable<Row>(api: GridApi<Row>): Table {
  const columns = api.getAllDisplayedColumns().filter((column) => column.getColDef().headerName);
  const rows: string[][] = [];
  api.forEachNodeAfterFilterAndSort((node) => {
    rows.push(
      columns.map((column) => {
        const shown = api.getCellValue({ rowNode: node, colKey: column, useFormatter: true }) as unknown;
        return shown === null || shown === undefined ? "" : String(shown);
      }),
    );
  });
  return {
    head: columns.map((column) => {
      const { headerName, type } = column.getColDef();
      return [headerName ?? column.getColId(), type === "rightAligned"];
    }),
    rows,
  };
}
