import { afterEach, describe, expect, it } from "vitest";

import type { ServerMessage, SnapshotMessage } from "../src/lib/answers/live";
import { emptyState, type LiveState, receive } from "../src/lib/live/connection";
import { Guest, Host, snapshotOf } from "../src/lib/live/shared";
import { position, total, trade, update } from "./rows";

const snapshot: SnapshotMessage = {
  type: "snapshot",
  seq: 7,
  business_date: "2026-11-20",
  price_source: "simulated",
  accounts: ["Test2"],
  positions: [position()],
  trades: [trade()],
  totals: [total()],
  prices: [],
  trades_total: { Test2: 1 },
};
const known = receive(emptyState, snapshot, 0).state;

const ends: { close(): void }[] = [];
afterEach(() => {
  for (const each of ends.splice(0)) each.close();
});

function host(user: string, current: () => LiveState | null): Host {
  const made = new Host(user, current);
  ends.push(made);
  return made;
}

/** A guest, and what it is told: messages, and "alone". */
function guest(user: string): { guest: Guest; next: () => Promise<ServerMessage | "alone"> } {
  const told: (ServerMessage | "alone")[] = [];
  let wake: (() => void) | null = null;
  const hear = (what: ServerMessage | "alone"): void => {
    told.push(what);
    wake?.();
  };
  const made = new Guest(user, hear, () => hear("alone"));
  ends.push(made);
  const next = async (): Promise<ServerMessage | "alone"> => {
    while (told.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return told.shift() as ServerMessage | "alone";
  };
  return { guest: made, next };
}

describe("a shared connection", () => {
  it("begins with what the host knows, and goes on in its numbering", async () => {
    const serving = host("anna", () => known);
    const { guest: served, next } = guest("anna");
    served.ask(["Test2"]);
    const first = await next();
    expect(first).toEqual(snapshot);
    expect(receive(emptyState, first as ServerMessage, 0).state).toEqual(known);
    const news = update(8, { positions: [position({ quantity: "41" })] });
    serving.handOn(news);
    expect(await next()).toEqual(news);
  });

  it("is for nobody else, for no other accounts, and of no host that is not live", async () => {
    host("anna", () => known);
    host("bert", () => null);
    for (const [user, accounts] of [["bert", ["Test2"]], ["anna", ["Test1"]], ["anna", []]] as const) {
      const { guest: served, next } = guest(user);
      served.ask(accounts);
      expect(await next()).toBe("alone");
    }
  });

  it("ends with the host, and when that turns to other accounts", async () => {
    for (const end of [
      (serving: Host) => serving.end(),
      (serving: Host) => serving.handOn({ ...snapshot, accounts: ["Test1"] }),
    ]) {
      const serving = host("anna", () => known);
      const { guest: served, next } = guest("anna");
      served.ask(["Test2"]);
      expect(await next()).toEqual(snapshot);
      end(serving);
      expect(await next()).toBe("alone");
      serving.close();
    }
  });

  it("tells what is known as a snapshot would", () => {
    expect(snapshotOf(known)).toEqual(snapshot);
  });
});
