import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

// First: the client takes its address from the page that this stands in for.
import { type Asked, lost, serve } from "./fake-server";
import { HEIGHT, type Span, sparkOf, sparkWords, type Tip, WIDTH } from "../src/lib/sparks/spark";
import { Sparks } from "../src/lib/sparks/sparks";

const SPAN: Span = { from: 570, to: 960 };
const LINE = { minutes: [570, 580, 590], prices: ["100", "102", "101"] };
const tip = (more: Partial<Tip> = {}): Tip => ({ price: "103", minute: 600, previousClose: "101.5", ...more });
const heights = (path: string): number[] => [...path.matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y));

describe("a day as a small line", () => {
  it("goes from the session's beginning to the price now", () => {
    const spark = sparkOf(LINE, tip(), SPAN);
    expect(spark?.path).toMatch(/^M4\.0 [\d.]+L5\.6 [\d.]+L7\.3 [\d.]+L8\.9 4\.0$/);
    expect(spark?.way).toBe("up");
    expect(sparkOf(LINE, tip({ minute: 960 }), SPAN)?.path).toContain(`L${WIDTH - 4}.0 4.0`);
  });

  it("has the previous close in sight, and tells the way by form as well as colour", () => {
    const up = sparkOf(LINE, tip(), SPAN);
    const down = sparkOf(LINE, tip({ price: "99", previousClose: "101.5" }), SPAN);
    const flat = sparkOf(LINE, tip({ price: "101.50" }), SPAN);
    expect([up?.way, down?.way, flat?.way]).toEqual(["up", "down", "flat"]);
    expect(new Set([up, down, flat].map((each) => each?.end.replace(/^M\S+ \S+?m/, ""))).size).toBe(3);
    const far = sparkOf(LINE, tip({ previousClose: "200" }), SPAN);
    expect(far?.base).toBe(`M4 4.0H${WIDTH - 4}`);
    expect(Math.min(...heights(far?.path ?? ""))).toBeGreaterThan(HEIGHT / 2);
  });

  it("compares exactly, beyond what a JavaScript number holds", () => {
    const close = "100.00000000000000000001";
    expect(sparkOf(LINE, tip({ price: "100", previousClose: close }), SPAN)?.way).toBe("down");
  });

  it("is there from the first price on, and not before", () => {
    expect(sparkOf(undefined, tip(), SPAN)).toBeNull();
    const one = sparkOf({ minutes: [570], prices: ["100"] }, tip({ price: null, previousClose: null }), SPAN);
    expect(one?.path).toBe("M4.0 10.0");
    expect(one?.base).toBe("");
    expect(one?.way).toBe("flat");
  });

  it("is not flattened by a mistake that was put right", () => {
    const minutes = Array.from({ length: 30 }, (_, n) => 570 + n * 10);
    const prices = minutes.map((_, n) => (n === 7 ? "9000" : String(100 + (n % 5))));
    const inside = heights(sparkOf({ minutes, prices }, tip({ price: "103" }), SPAN)?.path ?? "");
    expect(Math.max(...inside) - Math.min(...inside.filter((_, n) => n !== 7))).toBeGreaterThan(HEIGHT / 3);
    expect(Math.min(...inside)).toBeGreaterThanOrEqual(4);
  });

  it("leaves out a price that is not of this day", () => {
    const spark = sparkOf(LINE, tip({ minute: null, price: "500" }), SPAN);
    expect(spark?.path.split("L")).toHaveLength(3);
  });

  it("is told in words", () => {
    expect(sparkWords(LINE, tip(), false)).toBe("+1.48% since the previous close, today between 100.00 and 103.00");
    expect(sparkWords(LINE, tip({ previousClose: null }), true)).toBe("today between 100.00 and 103.00; stale");
    expect(sparkWords(undefined, tip(), false)).toBe("No prices recorded today");
  });
});

describe("the lines of a grid", () => {
  const answer = {
    session: "2026-01-30",
    starts_at: "2026-01-30T05:00:00Z",
    every_seconds: 600,
    lines: [{ ticker: "IBM", minutes: [570, 1010], prices: ["140", "141"] }],
  };
  let asked: Asked[];
  let sparks: Sparks;
  let turns: number;

  beforeEach(() => {
    vi.useFakeTimers();
    asked = serve(() => answer);
    turns = 0;
    sparks = new Sparks(
      () => null,
      () => (turns += 1),
    );
  });
  afterEach(() => {
    sparks.stop();
    vi.useRealTimers();
  });

  it("come with one request for all names, and no more for what is known", async () => {
    sparks.show(["IBM", "KO"]);
    sparks.show(["KO"]);
    await vi.advanceTimersByTimeAsync(1_000);
    sparks.show(["IBM"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.map(({ query }) => query.getAll("ticker"))).toEqual([["IBM", "KO"]]);
    expect(turns).toBe(1);
    expect(sparks.lineOf("IBM")?.prices).toEqual(["140", "141"]);
    expect(sparks.lineOf("KO")).toBeUndefined();
    // What was recorded after the session is in sight, too.
    expect(sparks.span).toEqual({ from: 570, to: 1010 });
  });

  it("come again for a name that came, and every five minutes", async () => {
    sparks.show(["IBM"]);
    await vi.advanceTimersByTimeAsync(1_000);
    sparks.show(["PEP"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.map(({ query }) => query.getAll("ticker"))).toEqual([["IBM"], ["IBM", "PEP"]]);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(asked).toHaveLength(3);
  });

  it("are asked for without names where there are many", async () => {
    sparks.show(Array.from({ length: 101 }, (_, n) => `T${n}`));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked.map(({ query }) => query.getAll("ticker"))).toEqual([[]]);
  });

  it("stay when the server is away, and come when it is back", async () => {
    sparks.show(["IBM"]);
    await vi.advanceTimersByTimeAsync(1_000);
    let isAway = true;
    serve(() => (isAway ? lost() : { ...answer, lines: [] }));
    await vi.advanceTimersByTimeAsync(300_000);
    expect(sparks.lineOf("IBM")).toBeDefined();
    isAway = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(sparks.lineOf("IBM")).toBeUndefined();
  });

  it("end with a price of the same day only", async () => {
    sparks.show(["IBM"]);
    await vi.advanceTimersByTimeAsync(1_000);
    const row = { ticker: "IBM", price: "141", previous_close: "140" };
    expect(sparks.tipOf(row, "2026-01-30T14:30:30Z").minute).toBe(570.5);
    expect(sparks.tipOf(row, "2026-01-29T21:00:00Z").minute).toBeNull();
    expect(sparks.tipOf(row, null).minute).toBeNull();
  });
});
