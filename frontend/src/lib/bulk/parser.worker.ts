/** Reads a CSV file away from the page, and sends its rows in pieces, each checked. */

import Papa from "papaparse";

import { unsafe } from "../csv";
import type { SaidName } from "../terms";
import { BadFile, type BulkRow, cellsProblem, isOfRejected, type Known, problemOf, readHeader, rowOf } from "./rows";

export interface Job {
  file: File;
  /** The number of the first row. */
  first: number;
  known: Known;
}

export type Piece =
  | { kind: "rows"; rows: BulkRow[] }
  | { kind: "done" }
  | { kind: "bad"; message: string };

/** Small enough that the page takes one in within a frame or two. */
const PIECE = 1_000;
export const MOST_ROWS = 1_000_000;

const NOT_UTF8 = "This is not UTF-8 text. Save the file as CSV (UTF-8) and choose that.";

/** Whether every byte of it is UTF-8: what is not would stand in a trade's note as a question mark. */
async function isUtf8(file: File): Promise<boolean> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = file.stream().getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      decoder.decode(next.value, { stream: true });
    decoder.decode();
  } catch {
    await reader.cancel();
    return false;
  }
  return true;
}

const send = (piece: Piece): void => postMessage(piece);

onmessage = ({ data: { file, first, known } }: MessageEvent<Job>): void => {
  let header: Map<SaidName, number> | null = null;
  let read: ((cell: string) => string) | undefined;
  let width = 0;
  let rows: BulkRow[] = [];
  let count = 0;
  const flush = (): void => {
    if (rows.length > 0) send({ kind: "rows", rows });
    rows = [];
  };
  const fail = (message: string): void => send({ kind: "bad", message });

  // Binary files, such as .xlsx, would make thousands of bad rows of one mistake.
  void file
    .slice(0, 4096)
    .arrayBuffer()
    .then(async (start) => {
      if (file.size === 0) return fail("The file is empty.");
      if (new Uint8Array(start).includes(0) || file.name.endsWith(".xlsx"))
        return fail("This is no text file. Save the sheet as CSV (UTF-8) and choose that.");
      if (!(await isUtf8(file))) return fail(NOT_UTF8);
      Papa.parse<string[]>(file, {
        header: false,
        skipEmptyLines: "greedy",
        delimiter: ",",
        encoding: "UTF-8",
        step: ({ data, errors }, parser) => {
          try {
            // The lines after such a quote may stand in its cell: none of them is known.
            if (errors.some(({ type }) => type === "Quotes"))
              throw new BadFile(
                `A quote is never closed in the row that begins with ${(data[0] ?? "").slice(0, 40) || "nothing"}` +
                  ` (row ${count + 1} below the header), or stands where no cell ends. Mend it and choose the file again.`,
              );
            if (header === null) {
              header = readHeader(data);
              width = data.length;
              if (isOfRejected(data)) read = unsafe;
              return;
            }
            count += 1;
            if (count > MOST_ROWS) throw new BadFile(`There are more than ${MOST_ROWS} rows.`);
            const row = rowOf(data, header, first + count - 1, read);
            row.problem = cellsProblem(data, width) ?? problemOf(row, known);
            rows.push(row);
            if (rows.length >= PIECE) flush();
          } catch (error) {
            // Aborting completes, too; the file is then known to be bad.
            rows = [];
            count = -1;
            parser.abort();
            fail((error as Error).message);
          }
        },
        complete: () => {
          if (count < 0) return;
          if (header === null) return fail("The file is empty.");
          flush();
          send({ kind: "done" });
        },
        error: (error) => fail(`The file can't be read: ${error.message}`),
      });
    });
};
