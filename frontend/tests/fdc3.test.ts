import { afterEach, describe, expect, it, vi } from "vitest";

import { type Agent, type Context, INTENTS, join } from "../src/lib/fdc3";

const ibm: Context = { type: "fdc3.instrument", id: { ticker: "IBM" } };

/** An agent that keeps what is told it. */
function desktop(): Agent & { told: Context[]; handlers: Map<string, (context: Context) => void>; gone: number } {
  const handlers = new Map<string, (context: Context) => void>();
  const made = {
    told: [] as Context[],
    handlers,
    gone: 0,
    broadcast: (context: Context) => Promise.resolve(void made.told.push(context)),
    addContextListener: (type: string, handler: (context: Context) => void) => listen(type, handler),
    addIntentListener: (intent: string, handler: (context: Context) => void) => listen(intent, handler),
    raiseIntent: () => Promise.resolve(),
  };
  const listen = (name: string, handler: (context: Context) => void): Promise<{ unsubscribe(): void }> => {
    handlers.set(name, handler);
    return Promise.resolve({ unsubscribe: () => void (made.gone += 1) });
  };
  return made;
}

function chooser(): { open: (ticker: string) => void; opened: string[]; onChosen: (l: (t: string, own: boolean) => void) => () => void; choose: (t: string, own: boolean) => void } {
  const listeners = new Set<(ticker: string, isOwn: boolean) => void>();
  const opened: string[] = [];
  const choose = (ticker: string, isOwn: boolean): void => listeners.forEach((each) => each(ticker, isOwn));
  return {
    opened,
    choose,
    open: (ticker) => {
      opened.push(ticker);
      choose(ticker, true);
    },
    onChosen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

afterEach(() => vi.unstubAllGlobals());

describe("FDC3", () => {
  it("does nothing without an agent, and begins when one comes", async () => {
    const page = new EventTarget() as EventTarget & { fdc3?: Agent };
    vi.stubGlobal("window", page);
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    const [one, agent] = [chooser(), desktop()];
    const stop = join(one);
    one.choose("IBM", true);
    page.fdc3 = agent;
    page.dispatchEvent(new Event("fdc3Ready"));
    await Promise.resolve();
    one.choose("KO", true);
    // What another window chose, it tells by itself.
    one.choose("PEP", false);
    expect(agent.told).toEqual([{ type: "fdc3.instrument", id: { ticker: "KO" } }]);
    expect([...agent.handlers.keys()]).toEqual(["fdc3.instrument", ...INTENTS]);
    for (const handler of agent.handlers.values()) handler(ibm);
    agent.handlers.get("ViewChart")?.({ type: "fdc3.instrument" });
    expect(one.opened).toEqual(["IBM", "IBM", "IBM"]);
    // It is not told there again.
    expect(agent.told).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve));
    stop();
    expect(agent.gone).toBe(3);
    one.choose("KO", true);
    expect(agent.told).toHaveLength(1);
  });
});
