import { describe, expect, it } from "vitest";

import { OneRead } from "../src/lib/oneRead";

/** A read that ends when it is told to. */
function held(): { read: (signal: AbortSignal) => Promise<void>; end: () => void; signals: AbortSignal[] } {
  const signals: AbortSignal[] = [];
  let end: () => void = () => undefined;
  const until = new Promise<void>((resolve) => (end = resolve));
  return {
    signals,
    end,
    read: (signal) => {
      signals.push(signal);
      return until;
    },
  };
}

describe("one read at a time", () => {
  it("is shared by all who ask while it goes on", async () => {
    const one = new OneRead();
    const first = held();
    const both = [one.run(first.read), one.run(first.read)];
    expect(first.signals).toHaveLength(1);
    first.end();
    expect(await Promise.all(both)).toEqual([true, true]);
    void one.run(first.read);
    expect(first.signals).toHaveLength(2);
  });

  it("that was dropped is not waited for by who asks afterwards", async () => {
    const one = new OneRead();
    const [first, second] = [held(), held()];
    const dropped = one.run(first.read);
    one.drop();
    expect(first.signals[0]?.aborted).toBe(true);
    const next = one.run(second.read);
    first.end();
    expect(await dropped).toBe(false);
    // The end of the dropped one does not end the other.
    expect(one.run(second.read)).toBe(next);
    second.end();
    expect(await next).toBe(true);
  });

  it("that fails lets the next one start", async () => {
    const one = new OneRead();
    await expect(one.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await one.run(() => Promise.resolve())).toBe(true);
  });
});
