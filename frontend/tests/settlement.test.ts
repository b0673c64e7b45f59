import { describe, expect, it } from "vitest";

import { byDay, settling, type Unsettled } from "../src/lib/settlement";

const row = (settlement_date: string, amount: string, changed: Partial<Unsettled> = {}): Unsettled => ({
  id: `${settlement_date}${amount}`,
  account: "Test1",
  ticker: "IBM",
  currency: "USD",
  settlement_date,
  quantity: "1",
  amount,
  isOverdue: false,
  ...changed,
});

describe("what is unsettled", () => {
  it("adds up by day, paid and received apart, and never two currencies", () => {
    const rows = [
      row("2026-03-20", "10.10"),
      row("2026-03-19", "-7202.5", { isOverdue: true }),
      row("2026-03-19", "0.01"),
      row("2026-03-19", "5", { currency: "EUR" }),
    ];
    expect(byDay(rows)).toEqual([
      { day: "2026-03-19", currency: "EUR", names: 1, pay: "5", receive: "0", overdue: 0 },
      { day: "2026-03-19", currency: "USD", names: 2, pay: "0.01", receive: "7202.5", overdue: 1 },
      { day: "2026-03-20", currency: "USD", names: 1, pay: "10.10", receive: "0", overdue: 0 },
    ]);
    expect(byDay([])).toEqual([]);
  });

  it.each([
    ["2026-03-18", "2026-03-18", "booked", "settled"],
    ["2026-03-19", "2026-03-19", "booked", "unsettled"],
    ["2026-03-19", "2026-03-18", "amended", "overdue"],
    ["2026-03-19", "2026-03-18", "cancelled", null],
    ["2026-03-19", null, "amended", "unsettled"],
  ])("a trade for %s, first for %s, %s, is %s", (settlement_date, first, status, says) => {
    expect(settling({ settlement_date, status }, first, "2026-03-18")).toBe(says);
    expect(settling({ settlement_date, status }, first, null)).toBeNull();
  });
});
