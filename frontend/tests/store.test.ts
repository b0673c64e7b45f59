import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Account } from "../src/lib/answers/desk";
import * as api from "../src/lib/api/accounts";
import { Refused, Unreachable } from "../src/lib/api/client";
import { LiveBlotter } from "../src/lib/live/store.svelte";
import { FakeSocket } from "./fake-socket";
import { position, price, total, trade, update } from "./rows";

const snapshot = (seq: number, accounts = ["Test2"]): object => ({
  type: "snapshot",
  seq,
  business_date: "2026-11-20",
  price_source: "simulated",
  accounts,
  positions: [position()],
  trades: [trade()],
  totals: [total()],
  prices: [price()],
  trades_total: { Test2: 1 },
});

const subscription = { type: "subscribe", accounts: ["Test2"], trades: 2_000, prices: "none" };

let fetchAccounts: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("addEventListener", vi.fn());
  vi.stubGlobal("removeEventListener", vi.fn());
  vi.stubGlobal("document", { addEventListener: vi.fn(), removeEventListener: vi.fn() });
  fetchAccounts = vi.spyOn(api, "fetchAccounts").mockResolvedValue([]);
  FakeSocket.all = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function started() {
  const onAccounts = vi.fn<(accounts: Account[]) => void>();
  const live = new LiveBlotter("ws://desk/", onAccounts);
  const stop = live.start();
  return { live, onAccounts, stop };
}

it("subscribes once it is connected and knows to what", () => {
  const { live } = started();
  FakeSocket.last.accept();
  expect(FakeSocket.last.sent).toEqual([]);
  live.watch(["Test2"]);
  expect(FakeSocket.last.sent).toEqual([subscription]);
  FakeSocket.last.say(snapshot(1));
  expect(live.phase).toBe("live");
  expect(live.state.positions.size).toBe(1);
});

it("asks for a fresh snapshot after a gap, and drops what comes before it", async () => {
  const { live } = started();
  live.watch(["Test2"]);
  FakeSocket.last.accept();
  FakeSocket.last.say(snapshot(1));
  FakeSocket.last.say(update(3, { positions: [position({ quantity: "1" })] }));
  FakeSocket.last.say(update(4, { positions: [position({ quantity: "2" })] }));
  expect(live.phase).toBe("syncing");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(FakeSocket.last.sent).toEqual([subscription, subscription]);
  FakeSocket.last.say(snapshot(5));
  expect(live.phase).toBe("live");
  expect([...live.state.positions.values()]).toEqual([position()]);
});

it("does not hammer a server that keeps sending what it cannot read", async () => {
  const { live } = started();
  live.watch(["Test2"]);
  FakeSocket.last.accept();
  for (let tenth = 0; tenth < 50; tenth++) {
    FakeSocket.last.say({ type: "nonsense" });
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(live.problem).toContain("unreadable");
  expect(FakeSocket.last.sent.length).toBeLessThanOrEqual(8);
});

it("keeps rows while the connection is lost, and subscribes again by itself", async () => {
  const { live } = started();
  live.watch(["Test2"]);
  FakeSocket.last.accept();
  FakeSocket.last.say(snapshot(1));
  FakeSocket.last.close();
  expect(live.phase).toBe("lost");
  expect(live.state.positions.size).toBe(1);
  await vi.advanceTimersByTimeAsync(600);
  FakeSocket.last.accept();
  expect(FakeSocket.last.sent).toEqual([subscription]);
  FakeSocket.last.say(snapshot(1));
  expect(live.phase).toBe("live");
});

it("tells an ended session from a lost server, and then stops trying", async () => {
  fetchAccounts.mockRejectedValue(new Refused(403, []));
  const { live } = started();
  FakeSocket.last.accept();
  FakeSocket.last.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(live.phase).toBe("signed-out");
  expect(FakeSocket.all).toHaveLength(1);
});

it("asks which accounts there are when it is refused one", async () => {
  const { live, onAccounts } = started();
  live.watch(["Test2"]);
  FakeSocket.last.accept();
  FakeSocket.last.say({ type: "error", code: "not_entitled", detail: "You may not view Test2." });
  expect(live.phase).toBe("refused");
  expect(live.problem).toBe("You may not view Test2.");
  await vi.advanceTimersByTimeAsync(0);
  expect(onAccounts).toHaveBeenCalledTimes(1);
});

it("is not live until the snapshot is of what is watched now", () => {
  const { live } = started();
  live.watch(["Test2"]);
  FakeSocket.last.accept();
  FakeSocket.last.say(snapshot(1));
  live.watch(["Test1", "Test2"]);
  expect(live.phase).toBe("syncing");
  // The answer to an earlier choice.
  FakeSocket.last.say(snapshot(2, ["Test3"]));
  expect(live.phase).toBe("syncing");
  FakeSocket.last.say(snapshot(3, ["Test2", "Test1"]));
  expect(live.phase).toBe("live");
  live.watch(["Test2", "Test1"]);
  expect(live.phase).toBe("live");
});

it("goes on asking which accounts there are until it is told", async () => {
  fetchAccounts.mockRejectedValueOnce(new Unreachable("away")).mockResolvedValue([]);
  const { live, onAccounts } = started();
  live.watch(["Test2"]);
  FakeSocket.last.accept();
  FakeSocket.last.say({ type: "error", code: "not_entitled", detail: "You may not view Test2." });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(onAccounts).toHaveBeenCalledTimes(1);
});
