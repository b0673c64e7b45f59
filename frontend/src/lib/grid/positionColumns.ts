/** The columns of the positions grid: every field of the API's row. */

import type { ColDef, ICellRendererParams } from "ag-grid-community";

import type { Acting, PositionRow } from "../answers/positions";
import { FIGURES } from "../figures";
import * as money from "../money";
import { tickerElement } from "../peek.svelte";
import { bothTimes, explanation, markBadge, reason, time } from "../show";
import type { Sparks } from "../sparks/sparks";
import { netColumns, numberColumn, pnlColumn, wide } from "./columns";
import type { Moves } from "./moves";
import { sparkColumn } from "./sparkColumn";

export const MOVING = [
  "quantity",
  "price",
  "market_value",
  ...FIGURES,
  "realized_pnl",
  "unrealized_pnl",
] as const;

/** Room of a badge before a price, in pixels. */
const BADGE = 44;

type IsStale = (row: PositionRow) => boolean;

export function badgeElement(text: string, kind: string): HTMLElement {
  const badge = document.createElement("span");
  badge.className = `badge ${kind}`;
  badge.textContent = text;
  return badge;
}

/** The columns that have badges. */
export const BADGED = ["ticker", "price"];

/** Whether the badges are others, of which the grid, comparing tickers and prices, knows nothing. */
export function badgesChanged(before: PositionRow, after: PositionRow): boolean {
  return (
    before.mark_source !== after.mark_source ||
    before.pnl_reason !== after.pnl_reason ||
    before.actions.map(acted).join() !== after.actions.map(acted).join()
  );
}

/** The mark's price with a badge before it, so that the digits stay aligned at the right. */
function priceCell(isStale: IsStale) {
  return ({ data, valueFormatted }: ICellRendererParams<PositionRow>): HTMLElement => {
    const cell = document.createElement("span");
    cell.className = "price-cell";
    const badge = data === undefined ? null : markBadge(data.mark_source);
    if (badge !== null) cell.append(badgeElement(badge.badge, "mark"));
    if (data !== undefined && isStale(data)) cell.append(badgeElement("STALE", "stale"));
    const figure = document.createElement("span");
    figure.className = "figure";
    figure.textContent = valueFormatted ?? "";
    cell.append(figure);
    return cell;
  };
}

/** The ticker, with a badge behind it on the ex-date of a corporate action. */
function tickerCell({ data }: ICellRendererParams<PositionRow>): HTMLElement {
  const cell = tickerElement(data?.ticker ?? "");
  if (data !== undefined && data.actions.length > 0) {
    cell.lastElementChild?.before(badgeElement("EX", "mark"));
  }
  return cell;
}

function actionTooltip(row: PositionRow | undefined): string | null {
  if (row === undefined || row.actions.length === 0) return null;
  return row.actions.map(acted).join("; ");
}

/** "split 10:1", "cash dividend 1.67 a share". */
function acted({ kind, keep_new, keep_old, cash }: Acting): string {
  const name = kind.replaceAll("_", " ");
  if (keep_new !== keep_old && keep_new !== "0") return `${name} ${keep_new}:${keep_old}`;
  return cash === "0" ? name : `${name} ${cash} a share`;
}

function priceTooltip(row: PositionRow | undefined, isStale: IsStale): string | null {
  if (row === undefined || row.price === null) return null;
  const source = markBadge(row.mark_source)?.meaning ?? "Market price";
  const from = row.price_source === null ? "" : `, from ${row.price_source}`;
  const at = row.price_as_of === null ? "" : `, ${bothTimes(row.price_as_of)}`;
  return `${source}${from}${at}${isStale(row) ? ". Stale" : ""}`;
}

/** A row moves with its position and with its price, so the later of the two dates it. */
function lastUpdate({ updated_at, price_as_of }: PositionRow): string | null {
  if (updated_at === null || price_as_of === null) return updated_at ?? price_as_of;
  return Date.parse(updated_at) < Date.parse(price_as_of) ? price_as_of : updated_at;
}

function updateTooltip(row: PositionRow | undefined): string | null {
  if (row === undefined) return null;
  const shown = (at: string | null): string => (at === null ? "n/a" : bothTimes(at));
  return `Position ${shown(row.updated_at)}, price ${shown(row.price_as_of)}`;
}

const checked = ({ pnl_valid, pnl_reason }: PositionRow): string => (pnl_valid ? "" : reason(pnl_reason));

const clock = ({ value }: { value: unknown }): string =>
  value === null || value === undefined ? "n/a" : time(String(value), new Date());

/** With `sparks` there is a line of the day beside the price, which an earlier day has none of. */
export function positionColumns(
  moves: Moves,
  isStale: IsStale,
  sparks: Sparks | null = null,
): ColDef<PositionRow>[] {
  const number = numberColumn<PositionRow>;
  const pnl = pnlColumn<PositionRow>;
  return [
    {
      field: "account",
      headerName: "Account",
      width: 84,
      pinned: "left",
      sort: "asc",
      comparator: (left: string, right: string, a, b, descending) =>
        left.localeCompare(right) ||
        (a.data?.ticker ?? "").localeCompare(b.data?.ticker ?? "") * (descending ? -1 : 1),
    },
    {
      field: "ticker",
      headerName: "Ticker",
      width: 88,
      pinned: "left",
      cellClass: "strong",
      cellRenderer: tickerCell,
      tooltipValueGetter: ({ data }) => actionTooltip(data),
    },
    number({ field: "quantity", headerName: "Quantity", width: 82, show: money.briefQuantity, moves }),
    {
      ...number({
        field: "price",
        headerName: "Price",
        width: 88,
        show: money.briefPrice,
        moves,
        beside: (row) => BADGE * (Number(markBadge(row.mark_source) !== null) + Number(isStale(row))),
      }),
      cellRenderer: priceCell(isStale),
      tooltipValueGetter: ({ data }) => priceTooltip(data, isStale),
    },
    ...(sparks === null
      ? []
      : [sparkColumn<PositionRow>({ sparks, asOf: (row) => row.price_as_of, isStale })]),
    // Before what they are made of: in sight at 1440 pixels, whatever the figures.
    {
      ...pnl({ field: "total_pnl", headerName: "Total P&L", width: 92, moves }),
      // A cellClass would replace the one that aligns numbers.
      cellClass: ["ag-right-aligned-cell", "strong"],
    },
    ...netColumns<PositionRow>(92, moves),
    pnl({ field: "trade_pnl", headerName: "Trade P&L", width: 92, moves }),
    pnl({ field: "position_pnl", headerName: "Position P&L", width: 94, moves }),
    {
      ...pnl({ field: "action_pnl", headerName: "Action P&L", width: 80, moves }),
      headerTooltip: "What corporate actions of the day brought: dividends, spin-offs, cash in lieu",
    },
    number({ field: "previous_close", headerName: "Prev. close", width: 80, show: money.briefPrice }),
    number({ field: "market_value", headerName: "Market value", width: 96, show: money.money, moves }),
    {
      colId: "pnl_reason",
      headerName: "Check",
      headerTooltip: "Why figures of this row are missing or uncertain",
      ...wide(60),
      context: { said: checked },
      valueGetter: ({ data }) => (data === undefined ? "" : checked(data)),
      tooltipValueGetter: ({ data }) =>
        data?.pnl_valid === false ? explanation(data.pnl_reason) : null,
      cellClass: "check",
    },
    number({ field: "average_cost", headerName: "Avg. cost", width: 82, show: money.shortPrice }),
    {
      ...pnl({ field: "unrealized_pnl", headerName: "Unrealized", width: 86, moves }),
      headerTooltip: "By average cost since inception; never added to the day's P&L",
    },
    {
      ...pnl({ field: "realized_pnl", headerName: "Realized", width: 82, moves }),
      headerTooltip: "By average cost since inception; never added to the day's P&L",
    },
    {
      colId: "updated_at",
      headerName: "Update, NY",
      headerTooltip: "The later of the last trade's effect and the price",
      ...wide(84),
      cellClass: "muted",
      valueGetter: ({ data }) => (data === undefined ? null : lastUpdate(data)),
      valueFormatter: clock,
      tooltipValueGetter: ({ data }) => updateTooltip(data),
    },
    { field: "session", headerName: "Session", ...wide(86), hide: true },
    { field: "mark_source", headerName: "Mark", ...wide(96), hide: true },
    { field: "price_source", headerName: "Price source", ...wide(96), hide: true },
    { field: "price_as_of", headerName: "Price time, NY", ...wide(84), hide: true, valueFormatter: clock },
  ];
}
