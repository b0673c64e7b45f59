import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { ImportJob } from "../src/lib/answers/imports";
import type { Known } from "../src/lib/bulk/rows";
import type { NewTrade } from "../src/lib/terms";
import { type Asked, lost, refusal, serve } from "./fake-server";

// After the edge is in place, for the client takes its address from it.
const { Bulk } = await import("../src/lib/bulk/bulk.svelte");
const { Imports } = await import("../src/lib/bulk/imports.svelte");

const known: Known = {
  accounts: new Set(["Test1"]),
  viewable: new Set(["Test1"]),
  tickers: new Set(["IBM"]),
  businessDate: "2026-01-30",
};

interface Sent {
  request_group: string;
  trades: NewTrade[];
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Books as the server does: a group once, whatever is asked how often. */
class Ledger {
  groups = new Map<string, string[]>();

  book({ request_group, trades }: Sent): object {
    const ids =
      this.groups.get(request_group) ?? trades.map((_trade, index) => `${request_group}-${index}`);
    this.groups.set(request_group, ids);
    return { request_group, booked: ids.length, ids };
  }

  get trades(): number {
    return [...this.groups.values()].reduce((sum, ids) => sum + ids.length, 0);
  }
}

const row = { account: "Test1", ticker: "IBM", side: "buy", quantity: "10", price: "143.50" };

/** A page with so many valid rows; `answers` is asked for all but these. */
async function page(count: number, answers: (asked: Asked) => unknown) {
  const asked = serve((each) =>
    each.path === "trades/generate/" ? { trades: Array(count).fill(row) } : answers(each),
  );
  const bulk = new Bulk();
  await settled(bulk.generate(["Test1"], count, [], known));
  asked.length = 0;
  return { bulk, asked };
}

async function settled<Value>(work: Promise<Value>): Promise<Value> {
  await Promise.all([work, vi.runAllTimersAsync()]);
  return work;
}

const groupsOf = (asked: Asked[]): string[] =>
  asked.map(({ body }) => (body as Sent).request_group);

it("books a group whose answers were lost once, however often it is pressed", async () => {
  const ledger = new Ledger();
  let away = true;
  const { bulk, asked } = await page(5, ({ body }) => {
    const answer = ledger.book(body as Sent);
    return away ? lost() : answer;
  });
  await settled(bulk.book(2));
  expect(ledger.trades).toBe(2);
  expect(bulk.counts.booked).toBe(0);
  expect(bulk.problem).toContain("not known");

  // Another size of groups must not change the group that may be booked.
  away = false;
  await settled(bulk.book(4));
  expect(ledger.trades).toBe(5);
  expect(bulk.counts.booked).toBe(5);
  expect(new Set(groupsOf(asked)).size).toBe(2);
  expect(new Set([...bulk.rows.values()].map(({ trade_id }) => trade_id)).size).toBe(5);
  expect(bulk.locked).toBe(false);
});

it("asks for the same group after Stop, too", async () => {
  const ledger = new Ledger();
  let stop: (() => void) | null = null;
  const { bulk } = await page(3, ({ body }) => {
    const answer = ledger.book(body as Sent);
    if (stop === null) return answer;
    stop();
    stop = null;
    return lost();
  });
  stop = () => bulk.stop();
  await settled(bulk.book(10));
  await settled(bulk.book(10));
  expect(ledger.trades).toBe(3);
  expect(bulk.counts.booked).toBe(3);
});

it("keeps what may be booked as it is until that is known", async () => {
  let away = true;
  const ledger = new Ledger();
  const { bulk } = await page(2, ({ body }) => (away ? lost() : ledger.book(body as Sent)));
  await settled(bulk.book(10));
  const rows = [...bulk.rows.values()];
  expect(rows.map(({ outcome }) => outcome)).toEqual(["unknown", "unknown"]);
  bulk.remove(rows);
  bulk.clear();
  await bulk.generate(["Test1"], 1, [], known);
  await bulk.hand(10, () => Promise.resolve("accepted"));
  expect(bulk.total).toBe(2);
  expect(bulk.unfinished).toBe(true);
  away = false;
  await settled(bulk.book(10));
  expect(bulk.counts.booked).toBe(2);
  expect(bulk.unfinished).toBe(false);
});

it.each([
  [401, 2],
  [403, 2],
  [413, 2],
])("does not take a %i of a second try for an answer to the first", async (status, trades) => {
  const ledger = new Ledger();
  const answers: ((sent: Sent) => unknown)[] = [
    (sent) => {
      ledger.book(sent);
      return lost();
    },
    () => refusal(status, "No."),
  ];
  const { bulk } = await page(trades, ({ body }) => (answers.shift() ?? ((s) => ledger.book(s)))(body as Sent));
  await settled(bulk.book(10));
  expect(bulk.counts.rejected).toBe(0);
  expect(bulk.pending).not.toBeNull();
  await settled(bulk.book(10));
  expect(ledger.trades).toBe(trades);
  expect(bulk.counts.booked).toBe(trades);
});

it("knows by a refusal of its rows that a group was not booked", async () => {
  const ledger = new Ledger();
  let answers = 0;
  const { bulk, asked } = await page(3, ({ body }) => {
    answers += 1;
    if (answers === 1) return lost();
    if (answers === 2) return refusal(400, "Too many.", "trades.1.quantity");
    return ledger.book(body as Sent);
  });
  await settled(bulk.book(10));
  expect([bulk.counts.booked, bulk.counts.rejected, bulk.pending]).toEqual([2, 1, null]);
  const [first, second, third] = groupsOf(asked);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});

const job = {
  id: "0190163d-8694-739b-aea5-966c26f8ad91",
  state: "queued",
  file_name: "generated",
  size: 100,
  group_size: 10,
  dry_run: false,
  accepted_at: "2026-03-18T16:00:00Z",
  started_at: null,
  finished_at: null,
  rows_total: 2,
  rows_done: 0,
  rows_booked: 0,
  rows_rejected: 0,
  rows_passed_over: 0,
  rows_per_second: null,
  error: "",
  undo_reason: "",
  undone_by: null,
  trades_cancelled: 0,
  request_groups: [],
};

it("books nothing from the page while its rows go to the workers", async () => {
  const { bulk, asked } = await page(2, lost);
  let answer: ((handed: "accepted") => void) | undefined;
  const handing = bulk.hand(10, () => new Promise((resolve) => (answer = resolve)));
  await bulk.book(10);
  bulk.clear();
  expect(asked).toEqual([]);
  expect(bulk.total).toBe(2);
  answer?.("accepted");
  await handing;
  expect(bulk.total).toBe(0);
});

it("hands over the same under the same id after a lost answer, and nothing else meanwhile", async () => {
  const imports = new Imports();
  let away = true;
  const { bulk, asked } = await page(2, () => (away ? lost() : { ...job, state: "done" }));
  await bulk.hand(10, (handing) => imports.hand(handing, false));
  expect(bulk.problem).toContain("taken once");
  await settled(bulk.book(10));
  away = false;
  await bulk.hand(20, (handing) => imports.hand(handing, true));
  imports.rest();
  const forms = asked.map(({ body }) => body as Record<string, string>);
  expect(asked.map(({ path }) => path)).toEqual(["trades/imports/", "trades/imports/"]);
  expect(forms[1]?.["client_import_id"]).toBe(forms[0]?.["client_import_id"]);
  expect(forms[1]?.["group_size"]).toBe("10");
  expect(bulk.total).toBe(0);
  expect(bulk.locked).toBe(false);
});

it("sends the workers every text as it is", async () => {
  const imports = new Imports();
  const { bulk, asked } = await page(1, () => ({ ...job, state: "done" }));
  const [first] = bulk.rows.values();
  if (first !== undefined) Object.assign(first, { client_trade_id: "@A1", note: '- see "mail"' });
  await bulk.hand(10, (handing) => imports.hand(handing, false));
  imports.rest();
  const { file } = asked[0]?.body as { file: File };
  expect((await file.text()).split("\r\n")[1]).toBe(
    'IBM,Test1,buy,10,143.50,,,@A1,"- see ""mail""",,,,,,,,,,,',
  );
});

it("reads the ids of all that an import booked, in the order of the file", async () => {
  const pages: Record<string, string[][]> = { a: [["3", "2"], ["1"]], b: [["4"]] };
  const left = structuredClone(pages);
  serve(({ query }) => {
    const group = query.get("request_group") ?? "";
    const [ids = [], ...more] = left[group] ?? [];
    left[group] = more;
    const next = more.length > 0 ? "http://page.test/api/v1/trades/?after=x" : null;
    return { results: ids.map((id) => ({ id })), next };
  });
  const found = await new Imports().ids({ ...job, request_groups: ["a", "b"] } as ImportJob);
  expect(found).toEqual([
    ["a", "1"],
    ["a", "2"],
    ["a", "3"],
    ["b", "4"],
  ]);
});
