/** Which page is shown, by the address. Links to our own pages change it without a reload. */

import type { Component } from "svelte";

import type { Boot } from "./answers/desk";
import { tickerAt } from "./peek.svelte";

export interface Route {
  path: string;
  name: string;
  /** What the page is for, as the tooltip of its link. */
  purpose: string;
  /** Who may open it: everybody, staff, or who reviews exceptions. */
  of: "all" | "is_staff" | "may_review";
  /** It is reached from elsewhere in the header. */
  aside?: true;
  load: () => Promise<{ default: Component }>;
}

/** An instrument's own window; no link leads there but those to it. */
const INSTRUMENT: Route = {
  path: "/i/",
  name: "Instrument",
  purpose: "One instrument: chart, positions, trades, actions",
  of: "all",
  load: () => import("../pages/Instrument.svelte"),
};

export const routes: readonly Route[] = [
  {
    path: "/",
    name: "Positions",
    purpose: "Positions, trades and live P&L; booking and correcting",
    of: "all",
    load: () => import("../pages/Positions.svelte"),
  },
  {
    path: "/bulk/",
    name: "Bulk booking",
    purpose: "Book many trades: from a CSV file, or generated",
    of: "all",
    load: () => import("../pages/Bulk.svelte"),
  },
  {
    path: "/prices/",
    name: "Prices",
    purpose: "Every priced instrument and its change today",
    of: "all",
    load: () => import("../pages/Prices.svelte"),
  },
  {
    path: "/pnl/",
    name: "P&L history",
    purpose: "P&L by session, final and provisional",
    of: "all",
    load: () => import("../pages/Pnl.svelte"),
  },
  {
    path: "/actions/",
    name: "Actions",
    purpose: "Corporate actions: ex-dates, effects, suggestions; splits, dividends, mergers",
    of: "all",
    load: () => import("../pages/Actions.svelte"),
  },
  {
    path: "/alerts/",
    name: "Alerts",
    purpose: "What you want to be told of, and what was told",
    of: "all",
    aside: true,
    load: () => import("../pages/Alerts.svelte"),
  },
  {
    path: "/settlement/",
    name: "Settlement",
    purpose: "What is to settle and when, what is overdue",
    of: "all",
    load: () => import("../pages/Settlement.svelte"),
  },
  {
    path: "/guards/",
    name: "Guards",
    purpose: "Open breaches, what was asked and confirmed, guards and limits",
    of: "is_staff",
    load: () => import("../pages/Guards.svelte"),
  },
  {
    path: "/exceptions/",
    name: "Exceptions",
    purpose: "What of a session somebody should look at, and who has",
    of: "may_review",
    load: () => import("../pages/Exceptions.svelte"),
  },
  {
    path: "/system/",
    name: "System",
    purpose: "What is wrong, what lags, what runs",
    of: "is_staff",
    load: () => import("../pages/System.svelte"),
  },
];

/** The pages that the header lists for this user, in its order. */
export const offered = (boot: Boot): Route[] => routes.filter((route) => route.aside !== true && mayOpen(route, boot));

export const mayOpen = (route: Route, boot: Boot): boolean => route.of === "all" || boot[route.of];

class Router {
  path = $state(location.pathname);

  readonly route = $derived(
    tickerAt(this.path) === null ? (routes.find((route) => route.path === this.path) ?? null) : INSTRUMENT,
  );

  go(path: string): void {
    if (path === this.path) return;
    history.pushState(null, "", path);
    this.path = path;
  }

  /**
   * A plain click on a link to one of our pages; others, and those with a modifier, are left, and
   * so is one to a place on this page, which the browser finds.
   */
  follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest("a");
    if (link === null || link.target !== "" || link.origin !== location.origin) return;
    if (!routes.some((route) => route.path === link.pathname) && tickerAt(link.pathname) === null) return;
    if (link.pathname === this.path && link.hash !== "") return;
    event.preventDefault();
    this.go(link.pathname);
  }

  start(): () => void {
    const back = (): void => void (this.path = location.pathname);
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }
}

export const router = new Router();
