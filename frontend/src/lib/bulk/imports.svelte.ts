/** The user's imports: files that workers book, so that this page may be closed meanwhile. */

import type { ImportJob } from "../answers/imports";
import { inWords, Refused } from "../api/client";
import {
  fetchGroupIds,
  fetchImport,
  fetchImports,
  undoImport,
  type Upload,
  uploadImport,
} from "../api/imports";
import { plainCsvFile } from "../csv";
import type { Handed, Handing } from "./bulk.svelte";
import { COLUMNS } from "./rows";
import { isDenied } from "./run";

const EVERY = 700;
const ASKED_AT_ONCE = 4;

const isUnderWay = ({ state }: ImportJob): boolean => state === "queued" || state === "running";

export class Imports {
  jobs = $state.raw<ImportJob[]>([]);
  problem = $state<string | null>(null);
  busy = $state(false);
  /** The code with which the last file was refused, such as `file_seen`. */
  refusal = $state<string | null>(null);
  /** Of how many groups the ids have been read. */
  gathered = $state(0);

  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Reads them, and follows those under way until they end. */
  async follow(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      this.jobs = await fetchImports();
      this.problem = null;
    } catch (error) {
      this.problem = inWords(error);
    }
    this.#again();
  }

  /** News of one, over the websocket: sooner than asking, and without its groups. */
  heard(job: ImportJob): void {
    const known = this.jobs.find(({ id }) => id === job.id);
    const groups = job.request_groups.length > 0 ? job.request_groups : (known?.request_groups ?? []);
    this.#put({ ...job, request_groups: groups });
    if (!isUnderWay(job)) void this.#refresh(job.id);
  }

  async #refresh(id: string): Promise<void> {
    try {
      this.#put(await fetchImport(id));
    } catch (error) {
      this.problem = inWords(error);
    }
  }

  rest(): void {
    clearTimeout(this.#timer);
  }

  /**
   * Rows of this page, as a file. `again`: it was tried before, and the answer was lost. A dry run
   * books nothing and tells what would be.
   */
  hand({ id, rows, name, groupSize }: Handing, again: boolean, dryRun = false): Promise<Handed> {
    const file = plainCsvFile(
      COLUMNS,
      rows.map((row) => COLUMNS.map((column) => row[column])),
    );
    // This page writes numbers with points.
    const fields = { decimal: "." };
    return this.upload({ file, name, id, groupSize, fields, dryRun, onceMore: dryRun }, again);
  }

  /** `again`: it was tried before, and the answer was lost. */
  async upload(upload: Upload, again: boolean): Promise<Handed> {
    this.busy = true;
    this.refusal = null;
    this.problem = null;
    let handed: Handed = "accepted";
    try {
      this.#put(await uploadImport(upload));
    } catch (error) {
      handed = isDenied(error, again) ? "refused" : "unknown";
      this.refusal = error instanceof Refused ? (error.complaints[0]?.code ?? null) : null;
      this.problem = inWords(error);
    }
    this.busy = false;
    this.#again();
    return handed;
  }

  async undo(id: string, reason: string): Promise<void> {
    this.busy = true;
    this.problem = null;
    try {
      this.#put(await undoImport(id, reason));
    } catch (error) {
      this.problem = inWords(error);
    }
    this.busy = false;
    this.#again();
  }

  /** What an import booked: each trade's id with its group, in the order of the file. */
  async ids({ request_groups }: ImportJob): Promise<[group: string, trade: string][]> {
    const found: string[][] = [];
    const queue = request_groups.map((group, place) => ({ group, place }));
    this.gathered = 0;
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        found[next.place] = await fetchGroupIds(next.group);
        this.gathered += 1;
      }
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, work));
    return request_groups.flatMap((group, place) =>
      (found[place] ?? []).map((id): [string, string] => [group, id]),
    );
  }

  /** In its place, or first where it is new. */
  #put(job: ImportJob): void {
    this.jobs = this.jobs.some(({ id }) => id === job.id)
      ? this.jobs.map((each) => (each.id === job.id ? job : each))
      : [job, ...this.jobs];
  }

  #again(): void {
    clearTimeout(this.#timer);
    const open = this.jobs.filter(isUnderWay);
    if (open.length > 0) this.#timer = setTimeout(() => void this.#round(open), EVERY);
  }

  async #round(open: readonly ImportJob[]): Promise<void> {
    try {
      const fresh = await Promise.all(open.map(({ id }) => fetchImport(id)));
      this.jobs = this.jobs.map((job) => fresh.find(({ id }) => id === job.id) ?? job);
      this.problem = null;
    } catch (error) {
      this.problem = inWords(error);
    }
    this.#again();
  }
}

export const imports = new Imports();
