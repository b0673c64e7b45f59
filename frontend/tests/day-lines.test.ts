import { describe, expect, it } from "vitest";

import { aligned, linesOf, valueAt } from "../src/lib/charts/intraday";
import { reachOf } from "../src/lib/charts/reach";

const point = (account: string, minute: number, total: string | null) => ({
  account,
  at: new Date(minute * 60_000).toISOString(),
  total_pnl: total,
});

describe("the day by account", () => {
  const lines = linesOf([
    point("A", 1, "5"),
    point("B", 2, "-1"),
    point("A", 3, null),
    point("A", 4, "7"),
  ] as never);

  it("has each account's own points", () => {
    expect([...lines.keys()]).toEqual(["A", "B"]);
    expect(lines.get("A")).toEqual({ times: [60, 180, 240], totals: [5, null, 7] });
  });

  it("stands over common times: n/a breaks a line, no point does not", () => {
    const { times, values } = aligned(lines);
    expect(times).toEqual([60, 120, 180, 240]);
    expect(values.get("A")).toEqual([5, undefined, null, 7]);
    expect(values.get("B")).toEqual([undefined, -1, undefined, undefined]);
  });

  it("tells what was so at a moment", () => {
    const { values } = aligned(lines);
    const b = values.get("B") ?? [];
    expect([0, 1, 3].map((index) => valueAt(b, index))).toEqual([undefined, -1, -1]);
    expect(valueAt(values.get("A") ?? [], 2)).toBeNull();
  });

  it("is not flattened by a mistake of one account that was put right", () => {
    const quiet = Array.from({ length: 60 }, (_none, index) => index % 7);
    const odd = quiet.map((value, index) => (index === 30 ? 1e9 : value + 100));
    const seen = reachOf([quiet, odd]);
    expect(seen?.isCut).toBe(true);
    expect(seen?.low).toBe(0);
    expect(seen?.high).toBeLessThan(200);
    // What is so now is in sight.
    expect(reachOf([quiet, [...odd, 1e9]])?.high).toBe(1e9);
  });
});
