/** The columns of positions as a tree: sums and, beneath them, positions. */

import type { ColDef, ICellRendererParams } from "ag-grid-community";

import { BELOW, type GroupBy, type TreeRow } from "../groups";
import * as money from "../money";
import { explanation, reason } from "../show";
import { netColumns, numberColumn, pnlColumn, wide } from "./columns";
import type { Moves } from "./moves";

const HEADINGS: Readonly<Record<GroupBy, string>> = {
  ticker: "Ticker, account",
  account: "Account, ticker",
  strategy: "Strategy, position",
};

interface Opening {
  isOpen: (group: string) => boolean;
  toggle: (group: string) => void;
}

/** Where a group has no such figure, nothing stands: "n/a" would say that one is missing. */
function ofPositions(column: ColDef<TreeRow>): ColDef<TreeRow> {
  const { valueFormatter, cellClassRules } = column;
  return {
    ...column,
    valueFormatter: (cell) =>
      cell.value === null && cell.data?.kind !== "leaf" || typeof valueFormatter !== "function"
        ? ""
        : valueFormatter(cell),
    cellClassRules: { ...cellClassRules, unknown: ({ value, data }) => value === null && data?.kind === "leaf" },
  };
}

/** A group's name is a button that opens it; Tab leaves the grid, so Enter on its cell does too. */
function nameCell({ isOpen, toggle }: Opening) {
  return ({ data }: ICellRendererParams<TreeRow>): HTMLElement => {
    const name = document.createElement(data?.kind === "group" ? "button" : "span");
    if (data === undefined) return name;
    if (data.kind !== "group") {
      name.className = data.kind === "leaf" ? "tree-leaf" : "";
      name.textContent = data.path.split(BELOW).at(-1) ?? "";
      return name;
    }
    const open = isOpen(data.group);
    name.className = "tree-name";
    name.tabIndex = -1;
    name.setAttribute("aria-expanded", String(open));
    const caret = document.createElement("span");
    caret.setAttribute("aria-hidden", "true");
    caret.textContent = open ? "▾" : "▸";
    name.append(caret, data.group);
    name.addEventListener("click", () => toggle(data.group));
    return name;
  };
}

export function treeColumns(by: GroupBy, moves: Moves, opening: Opening): ColDef<TreeRow>[] {
  const number = numberColumn<TreeRow>;
  const pnl = pnlColumn<TreeRow>;
  return [
    {
      colId: "group",
      headerName: HEADINGS[by],
      headerTooltip: "Enter on a row opens it",
      ...wide(130),
      pinned: "left",
      sort: "asc",
      valueGetter: ({ data }) => data?.path ?? "",
      cellRenderer: nameCell(opening),
    },
    {
      field: "rows",
      headerName: by === "ticker" ? "Accounts" : "Positions",
      ...wide(80),
      type: "rightAligned",
      filter: "agNumberColumnFilter",
      valueFormatter: ({ data }) => (data === undefined || data.kind === "leaf" ? "" : String(data.rows)),
    },
    ofPositions(number({ field: "quantity", headerName: "Quantity", width: 90, show: money.briefQuantity, moves })),
    ofPositions(number({ field: "price", headerName: "Price", width: 90, show: money.briefPrice, moves })),
    number({ field: "market_value", headerName: "Market value", width: 112, show: money.money, moves }),
    {
      ...pnl({ field: "total_pnl", headerName: "Total P&L", width: 100, moves }),
      cellClass: ["ag-right-aligned-cell", "strong"],
    },
    ...netColumns<TreeRow>(96, moves),
    pnl({ field: "trade_pnl", headerName: "Trade P&L", width: 100, moves }),
    pnl({ field: "position_pnl", headerName: "Position P&L", width: 100, moves }),
    pnl({ field: "action_pnl", headerName: "Action P&L", width: 96, moves }),
    {
      colId: "check",
      headerName: "Check",
      ...wide(166),
      context: { said: checked },
      cellClass: "check",
      valueGetter: ({ data }) => checked(data),
      tooltipValueGetter: ({ data }) => (data?.pnl_valid === false ? explanation(data.pnl_reason) : null),
    },
    // Cost is the account's: it is not told apart by strategy.
    ...(by === "strategy"
      ? []
      : [
          pnl({ field: "unrealized_pnl", headerName: "Unrealized", width: 100, moves }),
          pnl({ field: "realized_pnl", headerName: "Realized", width: 100, moves }),
        ]),
  ];
}

function checked(row: TreeRow | undefined): string {
  if (row === undefined || row.pnl_valid) return "";
  if (row.kind === "leaf") return reason(row.pnl_reason);
  return `Partial: ${row.invalid_rows} of ${row.rows} (${reason(row.pnl_reason)})`;
}
