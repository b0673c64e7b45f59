/** How far a chart's axis reaches. */

/** A share of the values, at either end, that may be a mistake which was put right. */
const ODD = 0.05;
/** The whole must be so many times as wide as the rest, or nothing is left out. */
const FAR = 4;

export interface Reach {
  low: number;
  high: number;
  /** Some values lie beyond: a mistake, since corrected, would flatten all others. */
  isCut: boolean;
}

/**
 * The range of all values; without the few that lie far off, unless the last one is among them:
 * what is so now is always in sight. Null without values.
 */
export function reach(values: readonly (number | null)[]): Reach | null {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return null;
  const sorted = known.toSorted((left, right) => left - right);
  const odd = Math.floor(sorted.length * ODD);
  const at = (index: number): number => sorted[index] ?? last;
  const whole = { low: at(0), high: at(sorted.length - 1), isCut: false };
  const core = { low: Math.min(at(odd), last), high: Math.max(at(sorted.length - 1 - odd), last) };
  const width = core.high - core.low || Math.abs(last) * 0.001 || 1;
  if (odd === 0 || whole.high - whole.low <= FAR * width) return whole;
  // What lies little beyond the rest is no mistake.
  const near = known.filter((value) => value >= core.low - width && value <= core.high + width);
  return { low: Math.min(...near), high: Math.max(...near), isCut: true };
}

/** The range of several lines: each one's own, together. Null without values. */
export function reachOf(lines: readonly (readonly (number | null | undefined)[])[]): Reach | null {
  return lines.reduce<Reach | null>((all, line) => {
    const one = reach(line.map((value) => value ?? null));
    if (one === null || all === null) return one ?? all;
    return {
      low: Math.min(all.low, one.low),
      high: Math.max(all.high, one.high),
      isCut: all.isCut || one.isCut,
    };
  }, null);
}
