import { beforeEach, describe, expect, it, vi } from "vitest";

import { InvalidMessage } from "../src/lib/answers/base";
import type { ServerMessage } from "../src/lib/answers/live";
import { GridFeed } from "../src/lib/grid/feed";
import { MessageReader, type ReadingWorker } from "../src/lib/live/reader";
import type { Part } from "../src/lib/live/reader.worker";
import { update } from "./rows";

interface Row {
  id: string;
  value: number;
}

/** A grid that only holds rows. */
class Rows {
  rows = new Map<string, Row>();
  tasks: number[] = [];
  setGridOption = vi.fn((_option: string, rows: Row[]) => {
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.tasks.push(rows.length);
  });
  applyTransaction = vi.fn(({ add = [] }: { add?: Row[] }) => {
    for (const row of add) this.rows.set(row.id, row);
    this.tasks.push(add.length);
  });
  applyTransactionAsync = vi.fn(({ add = [], update: changed = [], remove = [] }: { add?: Row[]; update?: Row[]; remove?: Row[] }) => {
    for (const row of changed) if (!this.rows.has(row.id)) throw new Error(`no row ${row.id}`);
    for (const row of [...add, ...changed]) this.rows.set(row.id, row);
    for (const row of remove) if (!this.rows.delete(row.id)) throw new Error(`no row ${row.id}`);
  });
  flushAsyncTransactions = vi.fn();
}

const rows = (count: number): Row[] =>
  Array.from({ length: count }, (_x, index) => ({ id: String(index), value: 0 }));

describe("a feed", () => {
  beforeEach(() => void vi.useFakeTimers());

  it("brings many rows in pieces, with what changed meanwhile", () => {
    const grid = new Rows();
    const feed = new GridFeed<Row>(grid as never, (row) => row.id, 10);
    feed.replace(rows(35));
    // The grid itself has just been made.
    expect(grid.rows.size).toBe(0);
    vi.advanceTimersToNextTimer();
    expect(grid.rows.size).toBe(10);
    feed.change({
      add: [{ id: "new", value: 1 }],
      update: [
        { id: "3", value: 2 },
        { id: "30", value: 3 },
      ],
      remove: [
        { id: "4", value: 0 },
        { id: "31", value: 0 },
      ],
    });
    vi.runAllTimers();
    expect(Math.max(...grid.tasks)).toBe(10);
    expect(grid.rows.size).toBe(35 + 1 - 2);
    expect(grid.rows.get("30")?.value).toBe(3);
    expect(grid.rows.get("3")?.value).toBe(2);
    expect(grid.rows.has("31")).toBe(false);
  });

  it("shows few at once, and later many from the first piece on", () => {
    const grid = new Rows();
    const feed = new GridFeed<Row>(grid as never, (row) => row.id, 10);
    feed.replace(rows(7));
    expect(grid.rows.size).toBe(7);
    feed.replace(rows(35));
    expect(grid.rows.size).toBe(10);
  });

  it("starts over with the next snapshot", () => {
    const grid = new Rows();
    const feed = new GridFeed<Row>(grid as never, (row) => row.id, 10);
    feed.replace(rows(35));
    feed.replace(rows(12));
    vi.runAllTimers();
    expect(grid.rows.size).toBe(12);
    feed.replace(rows(35));
    feed.stop();
    vi.runAllTimers();
    expect(grid.rows.size).toBe(10);
  });
});

describe("a reader", () => {
  class Worker implements ReadingWorker {
    onmessage: ((event: MessageEvent<Part>) => void) | null = null;
    onerror: ((event: ErrorEvent) => void) | null = null;
    postMessage = vi.fn();
    terminate = vi.fn();
    say(...parts: Part[]): void {
      for (const part of parts) this.onmessage?.({ data: part } as MessageEvent<Part>);
    }
  }
  const small = (seq: number): string => JSON.stringify(update(seq));
  const large = JSON.stringify({ ...update(1), padding: "x".repeat(300_000) });

  function reading(): { got: (ServerMessage | InvalidMessage)[]; worker: Worker; reader: MessageReader } {
    const got: (ServerMessage | InvalidMessage)[] = [];
    const worker = new Worker();
    return { got, worker, reader: new MessageReader((message) => got.push(message), () => worker) };
  }

  it("keeps the order when a large message takes its time", () => {
    const { got, worker, reader } = reading();
    reader.read(large);
    reader.read(small(2));
    expect(got).toEqual([]);
    const head = update(1);
    worker.say(
      { kind: "head", message: { ...head, trades: [] } },
      { kind: "rows", of: "trades", rows: [1] },
      { kind: "rows", of: "trades", rows: [2] },
      { kind: "end" },
    );
    expect(got).toMatchObject([{ seq: 1, trades: [1, 2] }, { seq: 2 }]);
  });

  it("says what was wrong, from the worker, too", () => {
    const { got, worker, reader } = reading();
    reader.read("{");
    reader.read(large);
    worker.say({ kind: "invalid", message: "seq: expected a whole number" });
    expect(got.every((each) => each instanceof InvalidMessage)).toBe(true);
    expect(got).toHaveLength(2);
  });

  it("does not wait for a worker that cannot start", () => {
    const { got, worker, reader } = reading();
    reader.read(large);
    reader.read(small(2));
    worker.onerror?.({ message: "" } as ErrorEvent);
    expect(got).toHaveLength(1);
    expect(got[0]).toBeInstanceOf(InvalidMessage);
    reader.read(small(3));
    expect(got[1]).toMatchObject({ seq: 3 });
  });

  it("forgets what came over a connection that is gone", () => {
    const { got, worker, reader } = reading();
    reader.read(large);
    reader.read(small(2));
    reader.reset();
    expect(worker.terminate).toHaveBeenCalled();
    reader.read(small(3));
    expect(got).toMatchObject([{ seq: 3 }]);
  });
});
