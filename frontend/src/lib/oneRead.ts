/** One read at a time: who asks while it goes on waits for the same one. */
export class OneRead {
  #now: { done: Promise<boolean>; stop: AbortController } | null = null;

  /** Whether it ended by itself: false where it was dropped meanwhile. */
  run(read: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    if (this.#now !== null) return this.#now.done;
    const stop = new AbortController();
    const done = read(stop.signal)
      .finally(() => {
        if (this.#now?.stop === stop) this.#now = null;
      })
      .then(() => !stop.signal.aborted);
    this.#now = { done, stop };
    return done;
  }

  /** What it reads is no longer wanted: who asks now starts another. */
  drop(): void {
    this.#now?.stop.abort();
    this.#now = null;
  }
}
