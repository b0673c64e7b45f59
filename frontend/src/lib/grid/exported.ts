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
