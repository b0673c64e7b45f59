/**
 * Which instrument is looked into: beside the page, and in windows of their own (`/i/IBM`).
 *
 * A window that is linked shows what is chosen in the others; each tells the others over a
 * BroadcastChannel, which reaches only windows of the same browser and site.
 */

const CHANNEL = "eqtrade.instrument";
const PATH = "/i/";

/** The address of an instrument's own window. */
export const pathOf = (ticker: string): string => `${PATH}${encodeURIComponent(ticker)}`;

/** The ticker of such an address; null of any other. */
export function tickerAt(path: string): string | null {
  const name = path.startsWith(PATH) ? path.slice(PATH.length).replace(/\/$/, "") : "";
  if (name === "" || name.includes("/")) return null;
  try {
    return decodeURIComponent(name).toUpperCase();
  } catch {
    return null;
  }
}

interface Chosen {
  kind: "chosen";
  ticker: string;
}

const isChosen = (data: unknown): data is Chosen =>
  typeof data === "object" && data !== null && (data as Chosen).kind === "chosen" && typeof (data as Chosen).ticker === "string";

export class Peek {
  /** What the panel beside the page shows; null when it is closed. */
  ticker = $state<string | null>(null);
  // Nothing on screen follows who listens.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  #listeners = new Set<(ticker: string, isOwn: boolean) => void>();
  #channel: BroadcastChannel | null = null;

  start(): () => void {
    const channel = new BroadcastChannel(CHANNEL);
    this.#channel = channel;
    channel.onmessage = ({ data }) => {
      if (isChosen(data)) for (const listener of this.#listeners) listener(data.ticker, false);
    };
    return () => {
      channel.close();
      this.#channel = null;
    };
  }

  open(ticker: string): void {
    this.ticker = ticker;
    this.choose(ticker);
  }

  close(): void {
    this.ticker = null;
  }

  /** An instrument was chosen here: linked windows show it. */
  choose(ticker: string): void {
    this.#channel?.postMessage({ kind: "chosen", ticker } satisfies Chosen);
    for (const listener of this.#listeners) listener(ticker, true);
  }

  /** Tells what is chosen, here (`isOwn`) and in other windows; returns how to stop. */
  onChosen(listener: (ticker: string, isOwn: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A window of its own, which this one's connection serves. */
  popOut(ticker: string): void {
    window.open(pathOf(ticker), "_blank", "popup,width=460,height=820");
    this.close();
  }
}

export const peek = new Peek();

/** The ticker of the row that has the keys; null where there is none. */
export function focusedTicker(): string | null {
  const row = document.activeElement?.closest(".ag-row");
  const node = document.activeElement?.closest<HTMLElement>("[data-ticker]") ?? null;
  if (node?.dataset["ticker"] !== undefined) return node.dataset["ticker"];
  // Pinned columns stand in another element of the same row.
  const grid = row?.closest(".ag-root");
  const id = row?.getAttribute("row-id") ?? "";
  return grid?.querySelector<HTMLElement>(`.ag-row[row-id="${CSS.escape(id)}"] [data-ticker]`)?.dataset["ticker"] ?? null;
}

/** A ticker in a cell of a grid, with what opens it; the keys have their own way. */
export function tickerElement(ticker: string): HTMLElement {
  const cell = document.createElement("span");
  cell.className = "ticker-cell";
  cell.dataset["ticker"] = ticker;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "peek-at";
  button.tabIndex = -1;
  button.title = `Look into ${ticker} (i)`;
  button.setAttribute("aria-label", `Look into ${ticker}`);
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    peek.open(ticker);
  });
  cell.append(ticker, button);
  return cell;
}
