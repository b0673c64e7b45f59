import { expect, it } from "vitest";

import type { Account } from "../src/lib/answers/desk";
import { complaints, newClientTradeId } from "../src/lib/api/client";
import { delay } from "../src/lib/live/backoff";
import { chosenCodes } from "../src/lib/selection";
import { age, bothTimes, calendarDate, status, time } from "../src/lib/show";
import { overall } from "../src/lib/totals";
import { total } from "./rows";

it("reads complaints, and makes one up when the server sent none", () => {
  const one = { code: "invalid", detail: "Too many decimals.", attr: "price" };
  expect(complaints({ type: "client_error", errors: [one] }, 400)).toEqual([one]);
  expect(complaints(null, 502)).toEqual([
    { code: "", detail: "The server answered 502.", attr: null },
  ]);
});

it("says what to do when a new login has made the page's token worthless", () => {
  const failed = { code: "permission_denied", detail: "CSRF Failed: CSRF token incorrect.", attr: null };
  expect(complaints({ errors: [failed] }, 403)[0]?.detail).toContain("reload this page");
});

it("makes an id for a ticket without a secure context", () => {
  expect(newClientTradeId()).toMatch(/^web-[0-9a-f]{32}$/);
  expect(newClientTradeId()).not.toBe(newClientTradeId());
});

it("waits longer each time, up to a limit, and never not at all", () => {
  expect(delay(0, 0)).toBe(250);
  expect(delay(0, 0.999)).toBeLessThan(500);
  expect(delay(2, 0)).toBe(562.5);
  expect(delay(50, 1)).toBe(3_000);
});

it("sums totals exactly, and says when they are partial", () => {
  const rows = [
    total({ total_pnl: "0.1" }),
    total({ account: "Test1", total_pnl: "0.2", pnl_valid: false, invalid_rows: 2 }),
    total({ account: "Test3", total_pnl: null, pnl_valid: false, invalid_rows: 1 }),
  ];
  expect(overall(rows)).toMatchObject({ total_pnl: "0.3", pnl_valid: false, invalid_rows: 3 });
  expect(overall([total({ total_pnl: null })]).total_pnl).toBeNull();
  expect(overall([])).toMatchObject({ total_pnl: "0", pnl_valid: true });
});

it("watches what was chosen and is still there", () => {
  const accounts = ["Test1", "Test2"].map((code) => ({ code }) as Account);
  expect(chosenCodes("all", accounts)).toEqual(["Test1", "Test2"]);
  expect(chosenCodes(["Test2", "Gone"], accounts)).toEqual(["Test2"]);
});

it("says which version of a trade it shows", () => {
  expect(status("booked", 1)).toBe("Booked");
  expect(status("cancelled", 3)).toBe("Cancelled v3");
});

it("tells New York's time, with the day of another day", () => {
  const now = new Date("2026-11-22T03:30:00Z");
  expect(time("2026-11-21T14:05:07Z", now)).toBe("09:05:07");
  expect(time("2026-11-22T03:05:07Z", now)).toBe("22:05:07");
  expect(time("2026-11-20T19:02:11Z", now)).toBe("20 Nov 14:02");
  // In summer New York's clock is another hour ahead.
  expect(time("2026-07-20T19:02:11Z", now)).toBe("20 Jul 15:02");
  expect(bothTimes("2026-11-20T19:02:11Z")).toContain("20 Nov 2026, 14:02:11 New York");
});

it("shows dates and ages as a reader says them", () => {
  expect(calendarDate("2026-11-20")).toBe("Fri, 20 Nov 2026");
  expect([0, 119_000, 120_000, 7_200_000, 200_000_000].map(age)).toEqual([
    "0 s",
    "119 s",
    "2 min",
    "2 h",
    "2 days",
  ]);
});
