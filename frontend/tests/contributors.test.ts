import { describe, expect, it } from "vitest";

import type { PnlRow } from "../src/lib/answers/pnl";
import { contributors, exposureBy, steps, tiles } from "../src/lib/contributors";
import { position } from "./rows";

const row = (ticker: string, total: string | null, pnl_valid = true): PnlRow =>
  ({ ticker, total_pnl: total, pnl_valid }) as PnlRow;

describe("contributors", () => {
  const made = contributors([
    row("KO", "0.1"), row("KO", "0.2"), row("PEP", "-5"), row("IBM", "2"), row("XOM", "0.00"),
    row("F", null, false), row("AAPL", "1"), row("AAPL", "-1"),
  ]);

  it("add up exactly over sessions and accounts, the largest first", () => {
    expect(made).toEqual([
      { ticker: "PEP", total: "-5", isPartial: false },
      { ticker: "IBM", total: "2", isPartial: false },
      { ticker: "KO", total: "0.3", isPartial: false },
      { ticker: "F", total: null, isPartial: true },
    ]);
  });

  it("lead in steps from nothing to the total", () => {
    const { steps: found, zero } = steps(made, 2);
    expect(found.map(({ name, amount }) => [name, amount])).toEqual([
      ["PEP", "-5"], ["IBM", "2"], ["2 others", "0.3"], ["Total", "-2.7"],
    ]);
    expect(found.at(-1)?.isPartial).toBe(true);
    // From −5 to 0 the bars have the whole width.
    expect([zero, found[0]?.from, found[0]?.to, found[1]?.from]).toEqual([1, 1, 0, 0]);
    expect(found[1]?.to).toBeCloseTo(0.4);
    expect(found[3]?.to).toBeCloseTo(found[2]?.to ?? Number.NaN);
    expect(steps([], 2).steps).toMatchObject([{ name: "Total", amount: "0", from: 0, to: 0 }]);
  });

  it("are as large as what is held of them, long or short, in the accounts together", () => {
    const held = exposureBy([
      position({ ticker: "KO", market_value: "10.5" }),
      position({ ticker: "KO", account: "B", market_value: "-4.5" }),
      position({ ticker: "PEP", market_value: null }),
      position({ ticker: "IBM", market_value: "0.00" }),
    ]);
    expect([...held]).toEqual([["KO", "15.0"]]);
  });

  it.each([1, 2, 0.5])("fill a box of shape %s, each by its size, none over another", (aspect) => {
    const sizes = [6, 6, 4, 3, 2, 2, 1, 0].map((size, n) => ({ name: `${n}`, size }));
    const found = tiles(sizes, aspect);
    expect(found).toHaveLength(7);
    for (const { name, width, height, left, top } of found) {
      expect(width * height).toBeCloseTo(((sizes[Number(name)]?.size ?? 0) / 24) * 10_000);
      expect(left + width).toBeLessThanOrEqual(100.001);
      expect(top + height).toBeLessThanOrEqual(100.001);
    }
    const over = found.flatMap((a, n) =>
      found.slice(n + 1).filter(
        (b) =>
          Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left) > 0.001 &&
          Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top) > 0.001,
      ),
    );
    expect(over).toEqual([]);
  });
});
