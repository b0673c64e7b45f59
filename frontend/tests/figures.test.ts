import { describe, expect, it } from "vitest";

import type { PnlRow } from "../src/lib/answers/pnl";
import type { PositionRow } from "../src/lib/answers/positions";
import type { TradeVersion } from "../src/lib/answers/trades";
import { alignedRanges, compact, inSight } from "../src/lib/charts/axes";
import { historySeries } from "../src/lib/charts/history";
import { continued, summedLine } from "../src/lib/charts/intraday";
import { csvLine } from "../src/lib/csv";
import { changedTerms } from "../src/lib/diff";
import { Exposure } from "../src/lib/exposure";
import { badgesChanged } from "../src/lib/grid/positionColumns";
import { asTree, Groups, type TreeRow } from "../src/lib/groups";
import { minus, percent, plainQuantity, scaled } from "../src/lib/money";
import { byDay, type PnlDay, withSession } from "../src/lib/pnlDays";
import { percentNumber, quoteRow } from "../src/lib/quotes";
import { compareMoments, duration } from "../src/lib/show";
import { readers } from "../src/lib/system";
import { position, price } from "./rows";

describe("exposure", () => {
  it("is kept exactly while rows come, change and go", () => {
    const exposure = new Exposure();
    exposure.set("a", "0.1");
    exposure.set("b", "0.2");
    exposure.set("c", "-0.3");
    exposure.set("d", null);
    expect(exposure.figures()).toMatchObject({ unknown: 1 });
    exposure.set("d", "5");
    exposure.delete("d");
    exposure.set("a", "0.3");
    const { long, short, net, gross, unknown } = exposure.figures();
    expect([long, short, net, gross].map(Number)).toEqual([0.5, -0.3, 0.2, 0.8]);
    expect(unknown).toBe(0);
    exposure.clear();
    expect(Number(exposure.figures().gross)).toBe(0);
  });

  it("keeps the least quantity at the least price beside the most at the most", () => {
    const exposure = new Exposure();
    exposure.set("a", "0.00000000000000000001");
    exposure.set("b", "1000000000000000000");
    expect(exposure.figures().net).toBe("1000000000000000000.00000000000000000001");
  });

  it("refuses decimals that it could not keep", () => {
    expect(() => scaled("0.0000001", 6)).toThrow(RangeError);
  });
});

describe("groups", () => {
  const held = [
    position({ account: "A", ticker: "KO", quantity: "70", total_pnl: "0.1" }),
    position({ account: "B", ticker: "KO", quantity: "-30", total_pnl: "0.2" }),
    position({ account: "B", ticker: "PEP", total_pnl: null, pnl_valid: false, pnl_reason: "no_mark" }),
  ];
  const grown = (by: "ticker" | "account"): Groups => {
    const groups = new Groups(by);
    for (const row of held) groups.put(row);
    return groups;
  };

  it("add up beneath and over all, and say where they are partial", () => {
    const groups = grown("ticker");
    expect(groups.changedLeaves().put.map(({ path }) => path)).toEqual(["KO › A", "KO › B", "PEP › B"]);
    const { put, gone, total } = groups.changedSums();
    expect(put).toMatchObject([
      { group: "KO", rows: 2, quantity: "40", total_pnl: "0.3", pnl_valid: true },
      { group: "PEP", rows: 1, total_pnl: null, pnl_valid: false, pnl_reason: "no_mark" },
    ]);
    expect(gone).toEqual([]);
    expect(total).toMatchObject({ rows: 3, total_pnl: "0.3", pnl_valid: false, invalid_rows: 1, quantity: null });
    expect(groups.changedSums()).toMatchObject({ put: [], gone: [], total: { rows: 3 } });
  });

  it("count what passes the filters alone", () => {
    const groups = grown("account");
    groups.changedSums();
    groups.filter(new Set(["A|KO", "B|KO"]));
    const { put, total } = groups.changedSums();
    expect(put).toMatchObject([{ group: "B", rows: 1, total_pnl: "0.2", pnl_valid: true, quantity: null }]);
    expect(total).toMatchObject({ rows: 2, total_pnl: "0.3", pnl_valid: true });
    groups.filter(new Set());
    expect(groups.changedSums().total).toMatchObject({ rows: 0, total_pnl: "0" });
    groups.filter(null);
    expect(groups.changedSums().total).toMatchObject({ rows: 3, pnl_valid: false });
  });

  it("tell one position apart by strategy", () => {
    const groups = new Groups("strategy");
    for (const [strategy, total_pnl] of [["ALPHA", "140"], ["BETA", "-10"], [null, "5"]] as const)
      groups.put({ ...position({ account: "A", ticker: "KO", total_pnl }), strategy });
    expect(groups.changedLeaves().put.map(({ id, path }) => [id, path])).toEqual([
      ["A|KO|ALPHA", "ALPHA › A KO"],
      ["A|KO|BETA", "BETA › A KO"],
      ["A|KO|", "No strategy › A KO"],
    ]);
    expect(groups.changedSums()).toMatchObject({
      put: [
        { group: "ALPHA", total_pnl: "140", quantity: null },
        { group: "BETA", total_pnl: "-10" },
        { group: "No strategy", total_pnl: "5" },
      ],
      total: { rows: 3, total_pnl: "135" },
    });
  });

  it("lose a group with its last row", () => {
    const groups = grown("ticker");
    groups.changedLeaves();
    groups.changedSums();
    groups.drop(held[2] as PositionRow);
    expect(groups.changedLeaves()).toMatchObject({ put: [], gone: ["B|PEP"] });
    expect(groups.changedSums()).toMatchObject({ put: [], gone: ["PEP"], total: { rows: 2, pnl_valid: true } });
  });

  it("come in pieces, and are whole once all have come", () => {
    const [whole, pieces] = [grown("ticker"), grown("ticker")];
    const leaves = [pieces.changedLeaves(2), pieces.changedLeaves(2), pieces.changedLeaves(2)].map(({ put }) => put);
    expect(leaves.map(({ length }) => length)).toEqual([2, 1, 0]);
    expect(leaves.flat()).toEqual(whole.changedLeaves().put);
    expect([pieces.addUp(1), pieces.addUp(1), pieces.addUp(1)]).toEqual([true, false, false]);
    // What changes meanwhile is added up again.
    const fresh = { ...(held[0] as PositionRow), total_pnl: "7" };
    for (const groups of [whole, pieces]) groups.put(fresh);
    expect(pieces.changedSums()).toEqual({ ...whole.changedSums(), put: expect.any(Array) as unknown });
    expect(pieces.changedLeaves().put).toMatchObject([{ id: "A|KO", total_pnl: "7" }]);
    pieces.drop(held[2] as PositionRow);
    pieces.addUp(9);
    expect(pieces.changedSums()).toMatchObject({ put: [], gone: ["PEP"], total: { rows: 2, total_pnl: "7.2" } });
  });

  it("stand as a tree, each in its group's order, and those beneath in their own", () => {
    const groups = grown("ticker");
    const [leaves, sums] = [groups.changedLeaves().put, groups.changedSums().put];
    const nodes = [leaves[2], sums[1], leaves[1], sums[0], leaves[0]].map((data) => ({ data: data as TreeRow }));
    const shown = (filtered: typeof nodes, open: string[]): string[] => {
      asTree(filtered, (group) => open.includes(group));
      return filtered.map(({ data }) => data.path);
    };
    expect(shown([...nodes], [])).toEqual(["PEP", "KO"]);
    expect(shown([...nodes], ["KO"])).toEqual(["PEP", "KO", "KO › B", "KO › A"]);
    expect(shown(nodes.slice(1), ["KO"])).toEqual(["KO", "KO › B", "KO › A"]);
  });
});

it.each([
  ["-2.80", "195.61", "−1.43%"],
  ["1", "3", "+33.33%"],
  ["0", "3", "0.00%"],
  ["1", "0", null],
  ["0.005", "100", "+0.01%"],
])("%s of %s is %s", (part, whole, shown) => {
  expect(percent(part, whole)).toBe(shown);
});

it("takes the change from the previous close", () => {
  const row = quoteRow(price({ price: "192.81", previous_close: "195.61", age_seconds: 3 }), "Apple", 10_000);
  expect(row).toMatchObject({ change: "-2.80", change_percent: "−1.43%", taken_at: 7_000 });
  expect(percentNumber(row.change_percent)).toBe(-1.43);
  expect(quoteRow(price({ previous_close: null }), "", 0).change).toBeNull();
  expect(minus("1", "-0.5")).toBe("1.5");
});

it("shows quantities for fields without needless zeros", () => {
  expect(["100.000000", "0.500", "100", "0"].map(plainQuantity)).toEqual(["100", "0.5", "100", "0"]);
});

it("orders moments whose fractions differ in length", () => {
  const moments = ["2026-01-30T10:00:00.5Z", "2026-01-30T10:00:00Z", "2026-01-30T10:00:00.25Z", "2026-01-30T09:59:59.9Z"];
  expect(moments.toSorted(compareMoments)).toEqual([moments[3], moments[1], moments[2], moments[0]]);
});

it("says how long something took", () => {
  expect([0.84, 38.4, 125].map(duration)).toEqual(["0.8 s", "38 s", "2 min 5 s"]);
});

it("writes CSV that no spreadsheet takes for a formula", () => {
  expect(csvLine(["=1+1", "-5.20", "a,b", 'say "x"', "@x"])).toBe(`'=1+1,-5.20,"a,b","say ""x""",'@x\r\n`);
});

const version = (changed: Partial<TradeVersion>): TradeVersion => ({
  version: 1,
  status: "booked",
  account: "Test1",
  ticker: "IBM",
  side: "buy",
  quantity: "10.000000",
  price: "143.500000",
  trade_date: "2026-01-30",
  executed_at: "2026-01-30T15:04:05Z",
  executed_at_known: true,
  note: "",
  settlement_date: "2026-02-02",
  strategy: null,
  counterparty: null,
  order_id: null,
  fees: [],
  actor: "trader",
  reason: "",
  recorded_at: "2026-01-30T15:04:05Z",
  ...changed,
});

it("marks what changed between versions, amounts by value", () => {
  const changed = changedTerms(version({}), version({ quantity: "10", price: "143.51", note: "x" }));
  expect([...changed]).toEqual(["price", "note"]);
});

it("adds accounts' days up, each with its last value until its next", () => {
  const at = (minute: number, account: string, total_pnl: string | null) => ({
    account,
    at: `2026-01-30T15:0${minute}:00Z`,
    total_pnl,
    pnl_valid: true,
  });
  const line = summedLine([at(1, "A", "10"), at(0, "A", "5"), at(1, "B", "1"), at(2, "B", "2"), at(3, "A", null)]);
  expect(line.totals).toEqual([5, 11, 12, 2]);
  const [, , , last = 0] = line.times;
  expect(continued(line, { times: [last, last + 5], totals: [0, 7] }).totals).toEqual([5, 11, 12, 2, 7]);
});

const day = (changed: Partial<PnlRow>): PnlRow => ({
  session: "2026-01-29",
  account: "A",
  ticker: null,
  opening_quantity: null,
  closing_quantity: null,
  previous_close: null,
  mark: null,
  trade_pnl: "0",
  position_pnl: "0",
  action_pnl: "0.00",
  total_pnl: "0",
  fees: "0",
  net_pnl: "0",
  correction_pnl: "0",
  is_final: true,
  pnl_valid: true,
  pnl_reason: null,
  invalid_rows: 0,
  restated_at: null,
  ...changed,
});

it("adds sessions up over accounts, with their sum so far", () => {
  const days = byDay([
    day({ session: "2026-01-30", total_pnl: "1.1", is_final: false }),
    day({ total_pnl: "0.1" }),
    day({ account: "B", total_pnl: "0.2", restated_at: "2026-01-30T15:00:00Z" }),
    day({ session: "2026-01-30", account: "B", total_pnl: null, pnl_valid: false, invalid_rows: 2 }),
  ]);
  expect(days).toMatchObject([
    { session: "2026-01-29", total_pnl: "0.3", cumulative: "0.3", is_final: true, restated_at: "2026-01-30T15:00:00Z" },
    { session: "2026-01-30", total_pnl: "1.1", cumulative: "1.4", is_final: false, invalid_rows: 2 },
  ]);
});

it("puts the zeros of two scales at one height", () => {
  const share = ([low, high]: readonly number[]): number => -(low ?? 0) / ((high ?? 0) - (low ?? 0));
  const [left, right] = alignedRanges([-10, 40], [-60, 20]);
  expect(share(left)).toBeCloseTo(share(right));
  expect(left[0]).toBeLessThanOrEqual(-10);
  expect(left[1]).toBeGreaterThanOrEqual(40);
  expect(right[0]).toBeLessThanOrEqual(-60);
  expect(alignedRanges([0], [])).toEqual([[0, 1], [0, 1]]);
});

it("an axis has no marks beyond what is in sight", () => {
  expect(inSight([0, 60, 120], { min: 60, max: 119 })).toEqual([null, 60, null]);
  expect(inSight([0], undefined)).toEqual([0]);
});

describe("the system page", () => {
  it("adds a reader's shards up", () => {
    const lag = (shard: number, entries: number, seconds: number) => ({ consumer: "pnl", shard, entries, seconds });
    expect(readers([lag(0, 2, 1), lag(1, 3, 9)])).toMatchObject([{ consumer: "pnl", entries: 5, seconds: 9 }]);
  });
});

describe("a session's rows anew", () => {
  const row = (session: string, account: string, total_pnl = "1"): PnlRow =>
    ({ session, account, total_pnl }) as PnlRow;

  it("take the place of the old ones, and only of them", () => {
    const rows = [row("2026-03-18", "A"), row("2026-03-18", "B"), row("2026-03-17", "A")];
    const fresh = [row("2026-03-18", "A", "2")];
    expect(withSession(rows, "2026-03-18", fresh)).toEqual([...fresh, rows[2]]);
    expect(withSession(rows, "2026-03-17", [])).toEqual(rows.slice(0, 2));
    expect(withSession(rows, "2026-03-19", fresh)).toEqual([...rows, ...fresh]);
  });
});

it("a price's badges may change while the price does not", () => {
  expect(badgesChanged(position(), position({ price: "1" }))).toBe(false);
  expect(badgesChanged(position(), position({ mark_source: "override" }))).toBe(true);
  expect(badgesChanged(position(), position({ pnl_valid: false, pnl_reason: "stale" }))).toBe(true);
  const split = { id: "01a", kind: "split", keep_new: "10", keep_old: "1", cash: "0" };
  expect(badgesChanged(position(), position({ actions: [split] }))).toBe(true);
  expect(badgesChanged(position({ actions: [split] }), position())).toBe(true);
  expect(badgesChanged(position({ actions: [split] }), position({ actions: [{ ...split }] }))).toBe(false);
});

it("the chart of history tells final, provisional and restated sessions apart", () => {
  const day = (total_pnl: string | null, is_final: boolean, restated_at: string | null = null): PnlDay =>
    ({ total_pnl, is_final, restated_at }) as PnlDay;
  const days = [day("5", true), day("-5", true, "2026-03-18T00:00:00Z"), day("3", false), day("-3", false), day(null, false)];
  expect(historySeries(days)).toEqual({
    gain: [5, null, null, null, null],
    loss: [null, -5, null, null, null],
    provisionalGain: [null, null, 3, null, null],
    provisionalLoss: [null, null, null, -3, null],
    restated: [null, -5, null, null, null],
  });
});

it("figures of an axis are told apart, and no longer than that takes", () => {
  expect(compact([0, 25_000, -50_000])).toEqual(["0", "25k", "−50k"]);
  expect(compact([-162_270, -162_271])).toEqual(["−162.27k", "−162.271k"]);
});
