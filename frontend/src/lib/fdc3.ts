/**
 * FDC3, where a desktop agent is: an instrument that is chosen here is told to other programs, and
 * theirs is shown here. Without an agent nothing of this does anything.
 */

export interface Context {
  type: string;
  id?: { ticker?: string };
}

/** What of an agent is used. */
export interface Agent {
  broadcast(context: Context): Promise<void>;
  addContextListener(type: string, handler: (context: Context) => void): Promise<{ unsubscribe(): unknown }>;
  addIntentListener(intent: string, handler: (context: Context) => void): Promise<{ unsubscribe(): unknown }>;
  raiseIntent(intent: string, context: Context): Promise<unknown>;
}

const INSTRUMENT = "fdc3.instrument";
export const INTENTS = ["ViewInstrument", "ViewChart"] as const;

export const agent = (): Agent | null => (window as { fdc3?: Agent }).fdc3 ?? null;

const instrument = (ticker: string): Context => ({ type: INSTRUMENT, id: { ticker } });

/** Asks another program to show it. */
export async function raise(intent: (typeof INTENTS)[number], ticker: string): Promise<void> {
  await agent()?.raiseIntent(intent, instrument(ticker));
}

interface Chooser {
  open(ticker: string): void;
  onChosen(listener: (ticker: string, isOwn: boolean) => void): () => void;
}

/** Joins what is chosen here with an agent, which may come later; returns how to stop. */
export function join(chooser: Chooser): () => void {
  let stopped = false;
  const stops: (() => unknown)[] = [];
  // What came from there is not told there again.
  let heard: string | null = null;

  function show({ id }: Context): void {
    const ticker = id?.ticker?.trim().toUpperCase();
    if (ticker === undefined || ticker === "") return;
    heard = ticker;
    chooser.open(ticker);
    heard = null;
  }

  async function begin(): Promise<void> {
    const desktop = agent();
    if (desktop === null || stopped) return;
    stops.push(
      chooser.onChosen((ticker, isOwn) => {
        if (isOwn && ticker !== heard) void desktop.broadcast(instrument(ticker)).catch(() => undefined);
      }),
    );
    const listening = [
      desktop.addContextListener(INSTRUMENT, show),
      ...INTENTS.map((intent) => desktop.addIntentListener(intent, show)),
    ];
    for (const each of await Promise.allSettled(listening))
      if (each.status === "fulfilled") stops.push(() => each.value.unsubscribe());
  }

  const ready = (): void => void begin();
  if (agent() !== null) ready();
  else addEventListener("fdc3Ready", ready, { once: true });
  return () => {
    stopped = true;
    removeEventListener("fdc3Ready", ready);
    for (const stop of stops) stop();
  };
}
