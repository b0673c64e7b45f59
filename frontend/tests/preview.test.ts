/** A file that is looked at: what is asked of the server, and what is booked. */

import { afterEach, expect, it } from "vitest";

import { read } from "../src/lib/answers/base";
import { preview } from "../src/lib/answers/preview";
import { mapped, toSave, unknownTickers } from "../src/lib/bulk/preview";
import { type Asked, lost, refusal, serve } from "./fake-server";

// After the edge is in place, for the client takes its address from it.
const { Look } = await import("../src/lib/bulk/look.svelte");
const { Imports } = await import("../src/lib/bulk/imports.svelte");

const column = (number: number, name: string, field: string | null) => ({ number, column: name, field });

const seen = {
  digest: "d1",
  complete: true,
  size: 40,
  encoding: "utf-8",
  delimiter: ";",
  header_line: 1,
  profile: null,
  mapping: [column(1, "Paper", "ticker"), column(2, "Qty", "quantity"), column(3, "qty ", null), column(4, "", null)],
  columns_passed_over: [],
  styles: {
    decimal: { quantity: "," },
    date_order: { trade_date: { ".": "dmy" } },
    timezone: "Europe/London",
    order: "oldest_first",
    account: null,
  },
  asks: [],
  counts: { rows: 2, trades: 1, rejected: 1, passed_over: { dividend: 3 }, judged: 2 },
  duplicates: 0,
  rows: [
    {
      line: 3,
      cells: [" spy ", "1"],
      trade: null,
      passed_over: null,
      errors: [{ code: "unknown_ticker", detail: "No.", attr: "ticker" }],
      warnings: [],
    },
  ],
  warnings: [],
};
const asksFirst = { ...seen, digest: null, asks: [{ code: "decimal_unclear", detail: "Which?", attr: "decimal", choices: [",", "."], examples: ["1.250"], suggested: [] }] };
const job = {
  id: "0190163d-8694-739b-aea5-966c26f8ad91", state: "queued", file_name: "x.csv", accepted_at: "2026-03-18T16:00:00Z",
  finished_at: null, dry_run: false, rows_total: 2, rows_done: 0, rows_booked: 0, rows_rejected: 0, rows_passed_over: 0,
  rows_per_second: null, error: "", request_groups: [],
};
const file = new File(["ticker\n"], "x.csv");
const shown = read(preview, seen);
const form = (asked: Asked | undefined) => asked?.body as Record<string, string>;
const imports = new Imports();

afterEach(() => imports.rest());

async function looked(answers: (asked: Asked) => unknown) {
  const asked = serve(answers);
  const look = new Look();
  await look.choose(file);
  return { look, asked };
}

it("asks the server what a file says, and again with each answer", async () => {
  const { look, asked } = await looked(({ body }) => ("decimal" in (body as object) ? seen : asksFirst));
  expect(look.isReady).toBe(false);
  expect(look.seen?.asks[0]?.choices).toEqual([",", "."]);
  await look.say("decimal", ",");
  expect(form(asked[1])).toMatchObject({ decimal: "," });
  expect(look.isReady).toBe(true);
  await look.say("decimal", undefined);
  expect(form(asked[2])).not.toHaveProperty("decimal");
});

it("books what was shown: by the digest, and under one id until that is known", async () => {
  let away = true;
  const { look, asked } = await looked(({ path }) => (path.endsWith("preview/") ? seen : away ? lost() : job));
  await look.send(10, false, imports);
  expect(look.problem).toContain("taken once");
  await look.say("decimal", ".");
  await look.choose(new File(["y"], "y.csv"));
  expect(look.file?.name).toBe("x.csv");
  away = false;
  await look.send(50, true, imports);
  const [first, second] = asked.slice(1).map(form);
  expect(first).toMatchObject({ digest: "d1", group_size: "10" });
  expect({ ...second, file: null }).toEqual({ ...first, file: null });
  expect(look.file).toBeNull();
});

it("keeps the file after a dry run", async () => {
  const { look, asked } = await looked(({ path }) => (path.endsWith("preview/") ? seen : { ...job, dry_run: true }));
  await look.send(10, true, imports);
  expect(form(asked[1])).toMatchObject({ dry_run: "true" });
  expect(look.isReady).toBe(true);
});

it("shows the file anew where it is read otherwise by now, and says so", async () => {
  const { look, asked } = await looked(({ path }) =>
    path.endsWith("preview/") ? seen : Response.json({ errors: [{ code: "reading_changed", detail: "Look again.", attr: null }] }, { status: 409 }),
  );
  await look.send(10, false, imports);
  expect(asked.map(({ path }) => path.split("/").at(-2))).toEqual(["preview", "imports", "preview"]);
  expect(look.problem).toBe("Look again.");
  expect(look.seen).not.toBeNull();
});

it("says why a file is none, and forgets what was shown before", async () => {
  const { look } = await looked(() => refusal(400, "The file is empty.", "file"));
  expect([look.seen, look.problem]).toEqual([null, "The file is empty."]);
});

it("shows the last answer alone, whichever comes last", async () => {
  const late: ((body: object) => void)[] = [];
  const { look } = await looked(() => seen);
  serve(() => new Promise((resolve) => late.push(resolve)));
  const [one, two] = [look.say("account", "Test1"), look.say("account", "Test2")];
  await expect.poll(() => late.length).toBe(2);
  late[1]?.({ ...seen, digest: "of Test2" });
  await two;
  late[0]?.({ ...seen, digest: "of Test1" });
  await one;
  expect(look.seen?.digest).toBe("of Test2");
});

it("names a column by its name, or by its number where that tells it from no other", () => {
  const { mapping } = shown;
  expect(mapped(column(1, "Paper", "ticker"), "note", mapping)).toEqual({ Paper: "note" });
  // No two mean the same; and two that differ by a blank and a case alone are one name.
  expect(mapped(column(4, "", null), "ticker", mapping)).toEqual({ Paper: null, "#4": "ticker" });
  expect(mapped(column(3, "qty ", null), "quantity", mapping)).toEqual({ "#2": null, "#3": "quantity" });
});

it("saves the whole of a reading", () => {
  expect(toSave({ account: "Test1" }, shown)).toEqual({
    account: "Test1", decimal: ",", date_order: "dmy", timezone: "Europe/London",
    mapping: { Paper: "ticker", "#2": "quantity", "#3": null, "#4": null },
  });
});

it("tells which tickers nobody knows", () => {
  expect(unknownTickers(shown)).toEqual(["SPY"]);
  expect(unknownTickers(null)).toEqual([]);
});

it.each(["digest", "asks", "counts", "rows", "duplicates"] as const)("takes no answer without %s", (field) => {
  const rest = Object.entries(seen).filter(([each]) => each !== field);
  expect(() => read(preview, Object.fromEntries(rest))).toThrow(field);
});
