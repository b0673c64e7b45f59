/** Strategies and counterparties that there are: suggested while one is typed. */

import type { Code } from "./answers/desk";
import { fetchCounterparties, fetchStrategies } from "./api/codes";
import type { CellName } from "./terms";

/** A list is asked for again, when it is wanted, after so many ms. */
const FRESH = 30_000;

const SOURCES = { strategy: fetchStrategies, counterparty: fetchCounterparties };

export type Named = keyof typeof SOURCES;
/** Null while they are not known. */
export type KnownCodes = Readonly<Record<Named, ReadonlyMap<string, boolean> | null>>;

export const isNamed = (name: CellName): name is Named => name in SOURCES;

class Codes {
  #found = $state.raw<Record<Named, readonly Code[] | null>>({ strategy: null, counterparty: null });
  #askedAt: Record<Named, number> = { strategy: -FRESH, counterparty: -FRESH };

  /** By code, whether a new trade may name it. */
  readonly known = $derived<KnownCodes>({
    strategy: byCode(this.#found.strategy),
    counterparty: byCode(this.#found.counterparty),
  });

  /** Those that a new trade may name. */
  offered(name: Named): readonly Code[] {
    return (this.#found[name] ?? []).filter(({ is_active }) => is_active);
  }

  /** Asks for them, where they are not fresh. It is a help: without them a code can be typed. */
  async want(name: Named): Promise<void> {
    if (performance.now() - this.#askedAt[name] < FRESH) return;
    this.#askedAt[name] = performance.now();
    try {
      const found = await SOURCES[name]();
      // Now, and not before the answer: the other list may have come meanwhile.
      this.#found = { ...this.#found, [name]: found };
    } catch {
      this.#askedAt[name] = -FRESH;
    }
  }
}

function byCode(found: readonly Code[] | null): ReadonlyMap<string, boolean> | null {
  return found === null ? null : new Map(found.map(({ code, is_active }) => [code, is_active]));
}

export const codes = new Codes();
