/** What a user may be alerted of, and what alerts told. */

import * as v from "valibot";

import type { Kind, Way } from "../alertKinds";
import { decimalOrNull, flag, object, text, textOrNull } from "./base";

export const alert = object({
  id: text,
  // Another version of the server may know more kinds; they are shown by their name.
  kind: v.custom<Kind>((value) => typeof value === "string", "text"),
  account: textOrNull,
  ticker: textOrNull,
  way: v.nullable(v.custom<Way>((value) => typeof value === "string", "text")),
  level: decimalOrNull,
  is_once: flag,
  is_active: flag,
  state: text,
  last_fired_at: textOrNull,
});
export type Alert = v.InferOutput<typeof alert>;

/** What the form asks for. */
export type AlertWanted = Omit<Alert, "id" | "state" | "last_fired_at">;

/** An alert of the user fired; `seen_at` says that they have seen it, here or elsewhere. */
export const firing = object({
  id: text,
  alert: text,
  kind: text,
  account: textOrNull,
  ticker: textOrNull,
  /** What happened, in a line. */
  text,
  trade: textOrNull,
  opened_at: text,
  closed_at: textOrNull,
  seen_at: textOrNull,
});
export type Firing = v.InferOutput<typeof firing>;
