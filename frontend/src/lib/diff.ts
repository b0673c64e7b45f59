/** What changed between one version of a trade and the next. */

import type { TradeVersion } from "./answers/trades";
import { sum } from "./money";
import { AMENDABLE, type AmendableName } from "./terms";

/** Amounts compare by value: "10" and "10.000000" are one. */
export function changedTerms(before: TradeVersion, after: TradeVersion): Set<AmendableName> {
  const changed = AMENDABLE.filter(({ name, kind }) =>
    kind === "amount"
      ? !sameAmount(before[name] ?? "", after[name] ?? "")
      : before[name] !== after[name],
  );
  return new Set(changed.map(({ name }) => name));
}

export function sameAmount(left: string, right: string): boolean {
  return !/[1-9]/.test(sum([left, `-${right}`]));
}
