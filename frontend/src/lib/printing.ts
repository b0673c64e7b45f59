/** Printing: a page's grids as tables of all their rows. */

import { flushSync } from "svelte";

export interface Printed {
  /** Brings what is not on the page yet. */
  complete: () => Promise<void>;
  draw: () => void;
  end: () => void;
}

class Printing {
  #parts = new Set<Printed>();

  /** Returns how to take it out again. */
  add(part: Printed): () => void {
    this.#parts.add(part);
    return () => this.#parts.delete(part);
  }

  /** All of it, so the browser is asked once it is there. */
  async print(): Promise<void> {
    await Promise.all([...this.#parts].map((part) => part.complete()));
    window.print();
  }

  start(): () => void {
    const before = (): void => flushSync(() => this.#parts.forEach((part) => part.draw()));
    const after = (): void => this.#parts.forEach((part) => part.end());
    const keys = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "p") return;
      event.preventDefault();
      void this.print();
    };
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    addEventListener("keydown", keys);
    return () => {
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
      removeEventListener("keydown", keys);
    };
  }
}

export const printing = new Printing();
