/** Long and short market value over many positions, kept exactly while rows come and go. */

import type { Decimal } from "./answers/base";
import { fromScaled, scaled } from "./money";
import { AMOUNT } from "./terms";

/** A market value is a quantity × a price, each of as many decimals as an input may have. */
const SCALE = 2 * AMOUNT.decimals;

export interface Exposures {
  /** Σ of positive market values. */
  long: Decimal;
  /** Σ of negative market values: zero or below. */
  short: Decimal;
  /** long + short. */
  net: Decimal;
  /** long − short. */
  gross: Decimal;
  /** Rows whose market value is unknown. */
  unknown: number;
}

export class Exposure {
  #values = new Map<string, bigint>();
  #long = 0n;
  #short = 0n;
  #unknown = new Set<string>();

  set(key: string, value: Decimal | null): void {
    this.delete(key);
    if (value === null) {
      this.#unknown.add(key);
      return;
    }
    const count = scaled(value, SCALE);
    this.#values.set(key, count);
    if (count > 0n) this.#long += count;
    else this.#short += count;
  }

  delete(key: string): void {
    this.#unknown.delete(key);
    const count = this.#values.get(key);
    if (count === undefined) return;
    this.#values.delete(key);
    if (count > 0n) this.#long -= count;
    else this.#short -= count;
  }

  clear(): void {
    this.#values.clear();
    this.#unknown.clear();
    this.#long = this.#short = 0n;
  }

  figures(): Exposures {
    return {
      long: fromScaled(this.#long, SCALE),
      short: fromScaled(this.#short, SCALE),
      net: fromScaled(this.#long + this.#short, SCALE),
      gross: fromScaled(this.#long - this.#short, SCALE),
      unknown: this.#unknown.size,
    };
  }
}
