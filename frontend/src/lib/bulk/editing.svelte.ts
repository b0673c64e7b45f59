/**
 * Rows of the bulk grid that a person types: cells, steps that can be undone, and a draft that
 * survives a reload.
 */

import { keep, kept } from "../kept";
import type { CellName } from "../terms";
import { type Bulk, bulk } from "./bulk.svelte";
import { normalised } from "./normal";
import { type BulkRow, blankRow, COLUMNS, distinct, type Known, NO_CELLS } from "./rows";

export interface Cell {
  row: BulkRow;
  name: CellName;
  typed: string;
}

/** A cell before and after; a step is all cells of one typing, filling or pasting. */
interface Change {
  row: BulkRow;
  name: CellName;
  before: string;
  after: string;
}

/** What a change was a step of: the rows that it added, too. */
interface Step {
  changes: Change[];
  added: BulkRow[];
}

export const TYPED = "typed";
const DRAFT = "bulk.draft";
/** More are a file, and no draft. */
const MOST_KEPT = 2_000;
const MOST_STEPS = 200;
const LATER = 400;

export class Editing {
  canUndo = $state(false);
  canRedo = $state(false);
  /** How many rows came back from a draft; said once. */
  restored = $state(0);

  #done: Step[] = [];
  #undone: Step[] = [];
  #open: Step | null = null;
  #saving: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly of: Bulk) {
    of.onChange(({ cleared }) => {
      if (cleared === true) this.#forget();
      this.#save();
    });
  }

  isOpen(row: BulkRow): boolean {
    return !this.of.locked && row.outcome === "";
  }

  /** Blank rows with the account of the row before them; `begin`: the first is typed into. */
  add(count: number, known: Known, begin = false): BulkRow[] {
    if (this.of.locked || count <= 0) return [];
    this.of.source ??= TYPED;
    const last = [...this.of.rows.values()].at(-1);
    const account = last?.account ?? [...known.accounts][0] ?? "";
    const rows = Array.from({ length: count }, (_, index) => ({
      ...blankRow(this.of.next + index),
      account,
    }));
    this.#step(() => {
      this.#open?.added.push(...rows);
      this.of.add(rows, begin);
      this.of.recheck(rows, known);
    });
    return rows;
  }

  /** Sets cells, in one step. */
  set(cells: readonly Cell[], known: Known): void {
    this.#step(() => {
      const changes = cells.flatMap(({ row, name, typed }): Change[] => {
        const after = normalised(name, typed, known.businessDate);
        if (!this.isOpen(row) || (row[name] === after && typed.trim() === after)) return [];
        row.typed = { ...row.typed, [name]: typed.trim() === after ? undefined : typed.trim() };
        return [{ row, name, before: row[name], after }];
      });
      for (const { row, name, after } of changes) row[name] = after;
      this.#open?.changes.push(...changes);
      this.of.recheck(distinct(changes.map(({ row }) => row)), known);
    });
  }

  /** Everything that `work` does is one step. */
  together(work: () => void): void {
    this.#step(work);
  }

  undo(known: Known): void {
    this.#go(this.#done, this.#undone, known, true);
  }

  redo(known: Known): void {
    this.#go(this.#undone, this.#done, known, false);
  }

  /** What was typed before a reload, where nothing is there yet. */
  restore(known: Known): void {
    const draft = kept(DRAFT);
    if (!Array.isArray(draft) || this.of.rows.size > 0 || this.of.locked) return;
    const rows = draft.filter(isDraft).map((said, index) => ({ ...blankRow(index + 1), ...said }));
    if (rows.length === 0) return;
    this.of.source = TYPED;
    this.of.add(rows);
    this.of.recheck(rows, known);
    this.restored = rows.length;
  }

  #step(work: () => void): void {
    const outer = this.#open;
    const step = outer ?? { changes: [], added: [] };
    this.#open = step;
    try {
      work();
    } finally {
      this.#open = outer;
    }
    if (outer !== null || step.changes.length + step.added.length === 0) return;
    this.#done = [...this.#done, step].slice(-MOST_STEPS);
    this.#undone = [];
    this.#tell();
  }

  #go(from: Step[], to: Step[], known: Known, back: boolean): void {
    const step = from.at(-1);
    // A row that was booked meanwhile stays as it was booked, and so does its step.
    if (step === undefined || [...step.changes.map(({ row }) => row), ...step.added].some((row) => !this.isOpen(row))) return;
    from.pop();
    if (!back && step.added.length > 0) this.of.add(step.added);
    for (const { row, name, before, after } of back ? step.changes.toReversed() : step.changes) {
      row[name] = back ? before : after;
      row.typed = { ...row.typed, [name]: undefined };
    }
    if (back && step.added.length > 0) this.of.remove(step.added);
    const rows = step.changes.map(({ row }) => row).filter((row) => this.of.rows.has(row.n));
    this.of.recheck(distinct([...rows, ...(back ? [] : step.added)]), known);
    to.push(step);
    this.#tell();
  }

  #tell(): void {
    this.canUndo = this.#done.length > 0;
    this.canRedo = this.#undone.length > 0;
  }

  #forget(): void {
    this.#done = [];
    this.#undone = [];
    this.restored = 0;
    this.#tell();
  }

  /** Of what is typed and not booked. */
  #save(): void {
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => {
      const open = [...this.of.rows.values()].filter(({ outcome }) => outcome === "");
      const isDraftable = this.of.source === TYPED && open.length <= MOST_KEPT;
      const said = open.map((row) => Object.fromEntries(COLUMNS.map((name) => [name, row[name]])));
      if (isDraftable && said.length > 0) keep(DRAFT, said);
      else if (this.of.source === TYPED || this.of.source === null) keep(DRAFT, null);
    }, LATER);
  }
}

function isDraft(value: unknown): value is Partial<Record<CellName, string>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.entries(value).every(([name, cell]) => name in NO_CELLS && typeof cell === "string")
  );
}

export const editing = new Editing(bulk);
