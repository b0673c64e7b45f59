/**
 * A file that is looked at before it is booked. The server reads it; this page keeps the file itself,
 * so that it is read anew whenever something is said of it, and what is booked is what was shown.
 */

import type { Choice, Column, Preview, Profile, Said, SavedMapping, Ask } from "../answers/preview";
import { inWords, isAbort } from "../api/client";
import {
  fetchMappings,
  fetchProfiles,
  forgetMapping,
  previewBeginning,
  previewFile,
  saveMapping,
} from "../api/imports";
import type { Imports } from "./imports.svelte";
import { formFields, mapped, toSave } from "./preview";
import { uuid } from "./run";

/** What was sent, and of which it is not known whether it was accepted: it is sent again as it was. */
interface Sent {
  id: string;
  groupSize: number;
  fields: Record<string, string>;
  dryRun: boolean;
  onceMore: boolean;
}

const NOT_KNOWN = "Whether the file was accepted is not known. Send it again: it is taken once.";

export class Look {
  file = $state.raw<File | null>(null);
  said = $state.raw<Said>({});
  seen = $state.raw<Preview | null>(null);
  reading = $state(false);
  sending = $state(false);
  problem = $state<string | null>(null);
  /** All of the trades are meant, though the file was imported before. */
  onceMore = $state(false);
  profiles = $state.raw<Profile[]>([]);
  saved = $state.raw<SavedMapping[]>([]);
  /** The saved way by which the file is read. */
  by = $state<string | null>(null);
  sent = $state.raw<Sent | null>(null);
  #stop: AbortController | null = null;

  /** Whether the file must stay as it is: it is being sent, or may have been accepted. */
  get locked(): boolean {
    return this.sending || this.sent !== null;
  }

  get unfinished(): boolean {
    return this.locked;
  }

  /** Whether all that is asked is answered, and there is something to book. */
  get isReady(): boolean {
    const { seen } = this;
    return seen !== null && seen.digest !== null && seen.counts.trades > 0 && !this.reading;
  }

  /** What an earlier import of the same bytes is told as; null where there is none. */
  get before(): string | null {
    return this.seen?.warnings.find(({ code }) => code === "file_seen")?.detail ?? null;
  }

  async load(): Promise<void> {
    try {
      [this.profiles, this.saved] = await Promise.all([fetchProfiles(), fetchMappings()]);
    } catch {
      // Files are read without them, too.
    }
  }

  choose(file: File): Promise<void> {
    if (this.locked) return Promise.resolve();
    this.drop();
    this.file = file;
    return this.read();
  }

  drop(): void {
    if (this.locked) return;
    this.#stop?.abort();
    this.file = this.seen = this.problem = this.by = null;
    this.said = {};
    this.reading = this.onceMore = false;
  }

  /** Says one thing of the file; without a value it is found in the file again. */
  say(of: Choice, value: string | undefined): Promise<void> {
    const others = Object.entries(this.said).filter(([each]) => each !== of);
    return this.#say({ ...Object.fromEntries(others), ...(value !== undefined && { [of]: value }) });
  }

  /** Says what a column means. */
  mean(of: Column, field: string | null): Promise<void> {
    const columns = mapped(of, field, this.seen?.mapping ?? []);
    return this.#say({ ...this.said, mapping: { ...this.said.mapping, ...columns } });
  }

  /** Says of these columns what was suggested. */
  takeSuggested({ suggested }: Pick<Ask, "suggested">): Promise<void> {
    const columns = Object.fromEntries(suggested.map(({ column, field }) => [column, field]));
    return this.#say({ ...this.said, mapping: { ...this.said.mapping, ...columns } });
  }

  /** Passes over every column that is not known. */
  passOthers(): Promise<void> {
    return this.#say({ ...this.said, mapping: { ...this.said.mapping, "*": null } });
  }

  /** Reads it in a way that was saved, or as it is found. */
  use(name: string | null): Promise<void> {
    this.by = name;
    return this.#say(this.saved.find((each) => each.name === name)?.said ?? {});
  }

  #say(said: Said): Promise<void> {
    if (this.locked) return Promise.resolve();
    this.said = said;
    return this.read();
  }

  /** Has the file read anew, as when a name has become known. */
  async read(): Promise<void> {
    const { file } = this;
    if (file === null) return;
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.reading = true;
    try {
      await this.#begin(file, stop.signal);
      const seen = await previewFile(file, this.said, stop.signal);
      if (stop.signal.aborted) return;
      this.seen = seen;
      this.problem = null;
    } catch (error) {
      if (stop.signal.aborted || isAbort(error)) return;
      this.seen = null;
      this.problem = inWords(error);
    }
    this.reading = false;
  }

  /** Shows the first rows of a large file, while the others are read. */
  async #begin(file: File, signal: AbortSignal): Promise<void> {
    try {
      const begun = await previewBeginning(file, this.said, signal);
      if (begun === null || signal.aborted) return;
      this.seen = { ...begun, size: file.size };
      this.problem = null;
    } catch (error) {
      // What is wrong with its beginning is told of all of it.
      if (signal.aborted || isAbort(error)) throw error;
    }
  }

  async save(name: string): Promise<void> {
    if (this.seen === null) return;
    try {
      await saveMapping(name, toSave(this.said, this.seen));
      this.saved = await fetchMappings();
      this.by = name;
      this.problem = null;
    } catch (error) {
      this.problem = inWords(error);
    }
  }

  async forget(name: string): Promise<void> {
    try {
      await forgetMapping(name);
      this.saved = this.saved.filter((each) => each.name !== name);
      if (this.by === name) this.by = null;
    } catch (error) {
      this.problem = inWords(error);
    }
  }

  /** Hands it to the workers, to be read as it was shown or not at all. A dry run leaves it here. */
  async send(groupSize: number, dryRun: boolean, imports: Imports): Promise<void> {
    const { file, seen } = this;
    if (file === null || seen === null || this.sending) return;
    if (this.sent === null && !this.isReady) return;
    const again = this.sent !== null;
    const fields = { ...formFields(this.said), digest: seen.digest ?? "" };
    const sent = this.sent ?? { id: uuid(), groupSize, fields, dryRun, onceMore: this.onceMore };
    this.sending = true;
    this.problem = null;
    const handed = await imports.upload({ file, name: file.name, ...sent }, again);
    this.sending = false;
    this.sent = handed === "unknown" ? sent : null;
    if (handed === "unknown") this.problem = NOT_KNOWN;
    else if (handed === "accepted") {
      if (!sent.dryRun) this.drop();
    } else await this.#refused(imports);
  }

  /** Looks again where what was shown is no longer so; the reason stays to be read. */
  async #refused(imports: Imports): Promise<void> {
    const said = imports.problem;
    if (["reading_changed", "file_seen"].includes(imports.refusal ?? "")) await this.read();
    if (this.before === null) this.problem ??= said;
    imports.problem = null;
  }
}

export const look = new Look();
