/** The quick checks of what comes many times a second rule as the schemas do. */

import { readFileSync } from "node:fs";

import * as v from "valibot";
import { describe, expect, it } from "vitest";

import { InvalidMessage, read } from "../src/lib/answers/base";
import { MESSAGES, serverMessage } from "../src/lib/answers/live";
import { positionRow } from "../src/lib/answers/positions";
import { quick } from "../src/lib/answers/quick";
import { position, price, total, trade } from "./rows";

const wire = JSON.parse(
  readFileSync(new URL("../../tests/wire/answers.json", import.meta.url), "utf-8"),
) as Record<string, { results: unknown[] }>;
const rowsOf = (name: string): unknown[] => wire[name]?.results ?? [];

const acting = { id: "a", kind: "split", keep_new: "10", keep_old: "1", cash: "0" };
const snapshot = {
  type: "snapshot",
  seq: 1,
  business_date: "2026-11-20",
  price_source: "simulated",
  accounts: ["Test2"],
  positions: [position({ actions: [acting] }), ...rowsOf("positions")],
  trades: [trade({ tags: ["x"], fees: [{ kind: "sec", amount: "-0.01" }] }), ...rowsOf("trades")],
  totals: [total(), ...rowsOf("pnl")],
  prices: [price(), ...rowsOf("prices")],
  trades_total: { Test2: 1 },
};
const update = {
  ...snapshot,
  type: "update",
  removed: { positions: [{ account: "Test2", ticker: "IBM" }], trades: ["t1"] },
};
const breach = { id: "b", account: null, group: "G", kind: "gross", state: "open", used: "101.5", closed_at: null };

/** Each place of a message, as the way that leads to it. */
function places(value: unknown, way: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [way];
  const inner = Object.entries(value).flatMap(([name, each]) =>
    places(each, [...way, Array.isArray(value) ? Number(name) : name]),
  );
  return way.length === 0 ? inner : [way, ...inner];
}

/** The message with something else in a place; without it where that is undefined. */
function changed(message: object, way: (string | number)[], other: unknown): unknown {
  const copy = structuredClone(message) as Record<string | number, unknown>;
  let at = copy;
  for (const step of way.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  // What is undefined is not written.
  at[way.at(-1) ?? ""] = other;
  return JSON.parse(JSON.stringify(copy));
}

const OTHERS = [undefined, null, "", "1E+2", "x", 1, 1.5, true, [], {}, [null], [{}], { more: "x" }];

describe.each([
  ["snapshot", MESSAGES.snapshot, snapshot],
  ["update", MESSAGES.update, update],
  ["breach", MESSAGES.breach, { type: "breach", breach }],
  ["error", MESSAGES.error, { type: "error", code: "x", detail: "x" }],
] as const)("the quick reading of a message: %s", (_name, schema, message) => {
  const quickly = quick(schema as v.GenericSchema);

  it("gives what the schema gives, wherever something else stands", () => {
    let refused = 0;
    let taken = 0;
    for (const way of places(message))
      for (const other of OTHERS) {
        const other_ = changed(message, way, other);
        const ruled = v.safeParse(schema, other_);
        if (ruled.success) {
          taken += 1;
          expect(quickly(other_, "message"), `${way.join(".")}: ${JSON.stringify(other)}`).toMatchObject(ruled.output);
        } else {
          refused += 1;
          expect(() => quickly(other_, "message"), `${way.join(".")}: ${JSON.stringify(other)}`).toThrow(InvalidMessage);
        }
      }
    expect(refused).toBeGreaterThan(0);
    expect(taken).toBeGreaterThan(0);
  });
});

it("takes rows as they came, with what the server added, and leaves that out of what it reads one by one", () => {
  const added = { ...position(), cusip: "x" };
  const message = { ...snapshot, positions: [added], more: 1 };
  expect(serverMessage(JSON.stringify(message))).toEqual({ ...snapshot, positions: [added] });
  expect(read(positionRow, added)).toEqual(position());
});

it("says where something is wrong, what was expected and what came", () => {
  const rows = { ...snapshot, positions: [position(), { ...position(), quantity: 40 }] };
  expect(() => serverMessage(JSON.stringify(rows))).toThrow(
    "positions.1.quantity: expected a decimal as a string, got 40",
  );
  expect(() => read(positionRow, 7, "position")).toThrow("position: expected an object, got 7");
  const without: Partial<ReturnType<typeof position>> = position();
  delete without.ticker;
  expect(() => read(positionRow, without)).toThrow("ticker: expected something, got nothing");
});
