/** Which page is shown, by the address. Links to our own pages change it without a reload. */

import type { Component } from "svelte";

export interface Route {
  path: string;
  name: string;
  /** What the page is for, as the tooltip of its link. */
  purpose: string;
  staffOnly: boolean;
  load: () => Promise<{ default: Component }>;
}

export const routes: readonly Route[] = [
  {
    path: "/",
    name: "Positions",
    purpose: "Positions, trades and live P&L; booking and correcting",
    staffOnly: false,
    load: () => import("../pages/Positions.svelte"),
  },
  {
    path: "/bulk/",
    name: "Bulk booking",
    purpose: "Book many trades: from a CSV file, or generated",
    staffOnly: false,
    load: () => import("../pages/Bulk.svelte"),
  },
  {
    path: "/prices/",
    name: "Prices",
    purpose: "Every priced instrument and its change today",
    staffOnly: false,
    load: () => import("../pages/Prices.svelte"),
  },
  {
    path: "/pnl/",
    name: "P&L history",
    purpose: "P&L by session, final and provisional",
    staffOnly: false,
    load: () => import("../pages/Pnl.svelte"),
  },
  {
    path: "/guards/",
    name: "Guards",
    purpose: "Open breaches, what was asked and confirmed, guards and limits",
    staffOnly: true,
    load: () => import("../pages/Guards.svelte"),
  },
  {
    path: "/system/",
    name: "System",
    purpose: "What is wrong, what lags, what runs",
    staffOnly: true,
    load: () => import("../pages/System.svelte"),
  },
];

class Router {
  path = $state(location.pathname);

  readonly route = $derived(routes.find((route) => route.path === this.path) ?? null);

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
    if (!routes.some((route) => route.path === link.pathname)) return;
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
