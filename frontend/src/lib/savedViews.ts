/**
 * Named views of the positions page, kept on the server: accounts, grouping, filters, columns with
 * their widths and sorts. The address holds all of it but the accounts and the columns, which the
 * browser keeps; a view is both.
 */

import type { SavedView } from "./answers/views";
import { fetchView, fetchViews } from "./api/views";
import type { Desk } from "./desk.svelte";
import { columnsKept, keepColumns } from "./grid/remembered";

type Shown = Pick<SavedView, "accounts" | "state">;

const GRIDS = ["positions-grid", "trades-grid", "ticker-totals-grid", "account-totals-grid", "strategy-totals-grid"];
/** A moment is no part of a view: it would show what was, for ever. */
const OF_A_MOMENT = ["as_of", "known_at", "compare", "view"];
/** That this window was opened once: the default view is for new ones, not for reloads. */
const OPENED = "eqtrade.opened";

/** The parameters of an address that are part of a view. */
export function addressKept(search: string): Record<string, string> {
  const query = [...new URLSearchParams(search)];
  return Object.fromEntries(query.filter(([name]) => !OF_A_MOMENT.includes(name)));
}

/** What is shown now. */
export function shownNow(desk: Desk): Shown {
  return {
    accounts: desk.selection === "all" ? null : [...desk.selection],
    state: {
      address: addressKept(location.search),
      columns: Object.fromEntries(
        GRIDS.flatMap((grid) => {
          const state = columnsKept(grid);
          return state === null ? [] : [[grid, state]];
        }),
      ),
    },
  };
}

/** Puts it in place of what is shown; the page then draws its lists anew. */
export function show(desk: Desk, { accounts, state }: Shown): void {
  for (const grid of GRIDS) keepColumns(grid, state.columns[grid] ?? null);
  const query = new URLSearchParams(state.address).toString();
  history.replaceState(null, "", `${location.pathname}${query === "" ? "" : `?${query}`}`);
  desk.select(accounts ?? "all");
}

/** The view that this window opens with: that of its link, or in a new one the default; or none. */
export async function firstView(): Promise<SavedView | null> {
  const link = new URLSearchParams(location.search).get("view");
  const isNew = firstTime();
  if (link !== null) return fetchView(link);
  if (!isNew || location.search !== "") return null;
  return (await fetchViews()).find((view) => view.is_default) ?? null;
}

function firstTime(): boolean {
  try {
    const isNew = sessionStorage.getItem(OPENED) === null;
    sessionStorage.setItem(OPENED, "yes");
    return isNew;
  } catch {
    return false;
  }
}

export const linkOf = (view: SavedView): string => `${location.origin}/?view=${view.id}`;
