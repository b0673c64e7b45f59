/** Files of trades that workers book. */

import * as v from "valibot";

import { count, flag, number, object, optionalList, text, textOrNull } from "./base";

const STATES = ["queued", "running", "done", "failed", "undone"] as const;

export const importJob = object({
  id: text,
  state: v.picklist(STATES, STATES.join(", ")),
  file_name: text,
  accepted_at: text,
  finished_at: textOrNull,
  rows_total: count,
  rows_done: count,
  rows_booked: count,
  rows_rejected: count,
  rows_passed_over: count,
  dry_run: flag,
  rows_per_second: v.nullish(number, null),
  error: text,
  // Left out while it runs, when they may be ten thousand.
  request_groups: optionalList(text),
});
export type ImportJob = v.InferOutput<typeof importJob>;
