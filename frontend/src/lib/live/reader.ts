/**
 * Messages from text, in the order in which they came.
 *
 * A large one, such as the snapshot of a full book, would hold the page up for most of a second:
 * it is read and checked in a worker, which hands it over in pieces. Messages behind it wait.
 */

import { InvalidMessage } from "../answers/base";
import { serverMessage, type ServerMessage } from "../answers/live";
import type { Part } from "./reader.worker";

/** Characters from which on a message is large. */
const LARGE = 250_000;

export type Deliver = (message: ServerMessage | InvalidMessage) => void;

export interface ReadingWorker {
  postMessage(text: string): void;
  onmessage: ((event: MessageEvent<Part>) => void) | null;
  /** Its file is missing, as after an upgrade of the server, or it broke. */
  onerror: ((event: ErrorEvent) => void) | null;
  terminate(): void;
}

const spawnWorker = (): ReadingWorker =>
  new Worker(new URL("./reader.worker.ts", import.meta.url), { type: "module" });

export class MessageReader {
  #waiting: string[] = [];
  #worker: ReadingWorker | null = null;

  constructor(
    private readonly deliver: Deliver,
    private readonly spawn: () => ReadingWorker = spawnWorker,
  ) {}

  read(text: string): void {
    if (this.#worker !== null) this.#waiting.push(text);
    else if (text.length < LARGE) this.deliver(parsed(text));
    else this.#hand(text);
  }

  /** Forgets what waits: it came over a connection that is gone. */
  reset(): void {
    this.#waiting = [];
    this.#worker?.terminate();
    this.#worker = null;
  }

  #hand(text: string): void {
    const worker = this.spawn();
    this.#worker = worker;
    let message: Record<string, unknown> = {};
    worker.onmessage = ({ data: part }) => {
      if (part.kind === "head") message = part.message;
      else if (part.kind === "rows") (message[part.of] as unknown[]).push(...part.rows);
      else {
        worker.terminate();
        this.#worker = null;
        this.deliver(
          part.kind === "end" ? (message as unknown as ServerMessage) : new InvalidMessage(part.message),
        );
        this.#goOn();
      }
    };
    worker.onerror = ({ message: said }) => {
      if (worker !== this.#worker) return;
      // What waits came after a message that is lost, so it is lost too.
      this.reset();
      this.deliver(new InvalidMessage(said || "a part of the page is missing: reload it"));
    };
    worker.postMessage(text);
  }

  #goOn(): void {
    while (this.#worker === null) {
      const text = this.#waiting.shift();
      if (text === undefined) return;
      this.read(text);
    }
  }
}

function parsed(text: string): ServerMessage | InvalidMessage {
  try {
    return serverMessage(text);
  } catch (error) {
    return error instanceof InvalidMessage ? error : new InvalidMessage(String(error));
  }
}
