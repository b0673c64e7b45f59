/** The API's answers to the letter, as `tests/blotter/test_wire.py` proves that they are. */

import { readFileSync } from "node:fs";

import type { GenericSchema } from "valibot";
import { describe, expect, it } from "vitest";

import { list, read } from "../src/lib/answers/base";
import { account, market } from "../src/lib/answers/desk";
import { serverMessage } from "../src/lib/answers/live";
import { pnlRow } from "../src/lib/answers/pnl";
import { positionRow, totalRow } from "../src/lib/answers/positions";
import { preview, profile } from "../src/lib/answers/preview";
import { closeRow, instrument, priceRow } from "../src/lib/answers/prices";
import { tradeRow, tradeVersion } from "../src/lib/answers/trades";
import { complaints } from "../src/lib/api/client";
import { page } from "../src/lib/api/pages";
import { stateOf, writtenAs } from "../src/lib/bulk/preview";
import * as money from "../src/lib/money";
import { quoteRow } from "../src/lib/quotes";

const wire = JSON.parse(
  readFileSync(new URL("../../tests/wire/answers.json", import.meta.url), "utf-8"),
) as Record<string, { results: unknown[] }>;

const of = (name: string): { results: unknown[] } => {
  const found = wire[name];
  if (found === undefined) throw new Error(`answers.json has no ${name}`);
  return found;
};

describe("what the server answers", () => {
  it.each([
    ["accounts", account],
    ["instruments", instrument],
    ["prices", priceRow],
    ["closes", closeRow],
    ["positions", positionRow],
    ["trades", tradeRow],
    ["versions", tradeVersion],
    ["pnl", pnlRow],
    ["pnl", totalRow],
  ] as const)("passes the page's check of %s, with every field", (name, check) => {
    const { results } = page(of(name), check as GenericSchema<unknown, object>);
    expect(results).not.toHaveLength(0);
    results.forEach((row, index) => {
      for (const [field, value] of Object.entries(row))
        if (field !== "ticker" || value !== null)
          expect((of(name).results[index] as Record<string, unknown>)[field] ?? null).toEqual(value);
    });
  });

  it("passes it where the answer is one thing", () => {
    expect(read(market, wire["market"])).toMatchObject({ business_date: "2026-03-18", is_open: true });
    expect(read(tradeRow, wire["trade"])).toMatchObject({ ticker: "IBM", quantity: "10" });
    expect(complaints(wire["refused"], 400)[0]).toMatchObject({ attr: "as_of", code: "malformed" });
  });

  it("passes it of a file that is looked at", () => {
    const seen = read(preview, wire["preview"]);
    expect(writtenAs(seen)).toBe("Windows-1252, semicolons between cells, header in line 1");
    expect(seen.rows.map(stateOf)).toEqual(["book", "refused", "passed"]);
    expect(seen.rows[0]?.trade).toMatchObject({ side: "buy", quantity: "1250.5", note: "für Müller" });
    expect(seen.styles.decimal).toEqual({ quantity: ",", price: "," });
    expect(read(list(profile), wire["profiles"])[0]?.name).toBe("admin_export");
  });

  it("is shown as a reader expects it", () => {
    const [row] = page(of("positions"), positionRow).results;
    expect(row && money.signedMoney(row.total_pnl ?? "")).toBe("+20.00");
    const [price] = page(of("prices"), priceRow).results;
    expect(price && quoteRow(price, "", 0)).toMatchObject({ change: "1.25", change_percent: "+2.91%" });
  });

  it("makes a snapshot that the page takes", () => {
    const message = {
      type: "snapshot",
      seq: 1,
      business_date: "2026-03-18",
      price_source: "simulated",
      accounts: ["Test1"],
      positions: of("positions").results,
      trades: of("trades").results,
      totals: of("pnl").results,
      prices: of("prices").results,
      trades_total: { Test1: 1 },
    };
    expect(serverMessage(JSON.stringify(message))).toMatchObject({ seq: 1, type: "snapshot" });
  });
});
