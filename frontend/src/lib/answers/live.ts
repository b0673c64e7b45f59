/** The messages of the websocket. */

import * as v from "valibot";

import { firing } from "./alerts";
import { count, counts, date, InvalidMessage, list, object, optionalList, text } from "./base";
import { breachNews } from "./guards";
import { importJob } from "./imports";
import { positionRow, totalRow } from "./positions";
import { priceRow } from "./prices";
import { quick } from "./quick";
import { tradeRow } from "./trades";

const snapshot = object({
  type: v.literal("snapshot"),
  seq: count,
  business_date: date,
  price_source: text,
  /** What it is of: it may answer an earlier subscription than the last. */
  accounts: list(text),
  positions: list(positionRow),
  trades: list(tradeRow),
  totals: list(totalRow),
  prices: list(priceRow),
  /** How many trades of the day an account has; the rows are the newest of all watched accounts. */
  trades_total: counts,
});
export type SnapshotMessage = v.InferOutput<typeof snapshot>;
export type TradesTotal = SnapshotMessage["trades_total"];
export type Rows = Pick<SnapshotMessage, "positions" | "trades" | "totals" | "prices">;

const update = object({
  type: v.literal("update"),
  seq: count,
  positions: optionalList(positionRow),
  trades: optionalList(tradeRow),
  totals: optionalList(totalRow),
  prices: optionalList(priceRow),
  /** Of the accounts where it changed. */
  trades_total: v.optional(counts, () => ({})),
  /** Gone before the rows of the same message came. */
  removed: v.optional(
    object({
      positions: optionalList(object({ account: text, ticker: text })),
      trades: optionalList(text),
    }),
    () => ({}),
  ),
});
export type UpdateMessage = v.InferOutput<typeof update>;

const refused = object({ type: v.literal("error"), code: text, detail: text });
export type ErrorMessage = v.InferOutput<typeof refused>;

/** How far an import of this user is; outside of the numbering, as are those that follow. */
const importNews = v.pipe(
  object({ type: v.literal("import"), import: importJob }),
  v.transform(({ type, import: job }) => ({ type, job })),
);

const breachMessage = object({ type: v.literal("breach"), breach: breachNews });

const alertMessage = v.pipe(
  object({ type: v.literal("alert"), alert: firing }),
  v.transform(({ type, alert }) => ({ type, firing: alert })),
);

/** By type. */
export const MESSAGES = {
  snapshot,
  update,
  import: importNews,
  breach: breachMessage,
  alert: alertMessage,
  error: refused,
} as const;

export type ServerMessage = v.InferOutput<(typeof MESSAGES)[keyof typeof MESSAGES]>;

type Reader = (value: unknown, name: string) => ServerMessage;

const READERS = new Map<unknown, Reader>(
  Object.entries(MESSAGES).map(
    ([type, schema]) => [type, quick(schema as v.GenericSchema<unknown, ServerMessage>)] as const,
  ),
);

/**
 * One message of the websocket, from its JSON text.
 *
 * Raises InvalidMessage when it is not one; the caller then asks for a fresh snapshot.
 */
export function serverMessage(json: string): ServerMessage {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw new InvalidMessage(`message: expected JSON, got ${json.slice(0, 60)}`);
  }
  const type = (parsed as { type?: unknown } | null)?.type;
  const reader = READERS.get(type);
  if (reader === undefined) throw new InvalidMessage(`type: expected one of ${[...READERS.keys()].join(", ")}`);
  return reader(parsed, "message");
}
