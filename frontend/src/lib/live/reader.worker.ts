/** Reads and checks one message away from the page, and hands its rows over in pieces. */

import { serverMessage } from "../answers/live";

export type Part =
  | { kind: "head"; message: Record<string, unknown> }
  | { kind: "rows"; of: string; rows: unknown[] }
  | { kind: "end" }
  | { kind: "invalid"; message: string };

const PIECE = 1_000;

const send = (part: Part): void => postMessage(part);

onmessage = ({ data: text }: MessageEvent<string>): void => {
  try {
    const message = serverMessage(text) as unknown as Record<string, unknown>;
    const lists = Object.entries(message).filter((entry): entry is [string, unknown[]] =>
      Array.isArray(entry[1]),
    );
    send({ kind: "head", message: { ...message, ...Object.fromEntries(lists.map(([name]) => [name, []])) } });
    for (const [of, rows] of lists)
      for (let start = 0; start < rows.length; start += PIECE)
        send({ kind: "rows", of, rows: rows.slice(start, start + PIECE) });
    send({ kind: "end" });
  } catch (error) {
    send({ kind: "invalid", message: (error as Error).message });
  }
};
