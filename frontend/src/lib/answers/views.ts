/** Named views as the server keeps them. */

import * as v from "valibot";

import { flag, list, object, text, textOrNull } from "./base";

const isText = (each: [string, unknown]): each is [string, string] => typeof each[1] === "string";
const anything = v.nullish(v.record(v.string(), v.unknown(), "an object"), {});

/** Whoever saved it may have been another version of this page: what is not understood is left. */
const viewState = object({
  /** By parameter of the address. */
  address: v.pipe(
    anything,
    v.transform((said) => Object.fromEntries(Object.entries(said).filter(isText))),
  ),
  /** What is kept of the columns, by grid. */
  columns: anything,
});
export type ViewState = v.InferOutput<typeof viewState>;

export const savedView = object({
  id: text,
  name: text,
  owner: text,
  /** Null: all that whoever looks may view. */
  accounts: v.nullable(list(text)),
  state: viewState,
  is_default: flag,
  is_shared: flag,
  saved_at: v.pipe(
    textOrNull,
    v.transform((at) => at ?? ""),
  ),
});
export type SavedView = v.InferOutput<typeof savedView>;
