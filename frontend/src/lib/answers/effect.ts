/** What a booking would do. */

import * as v from "valibot";

import { kind } from "../guards";
import { count, decimal, decimalOrNull, flag, list, object, text } from "./base";
import { found, owned, owner } from "./guards";
import { sourcedFee } from "./trades";

const level = v.pipe(
  text,
  v.transform((said) => (said === "refuse" ? "refuse" : "warn")),
);

const usedLimit = v.pipe(
  object({ ...owner, id: count, kind: text, limit: decimal, used_after: decimal, state: text }),
  v.transform(owned),
  v.transform(({ of, kind: code, ...limit }) => ({ ...limit, name: `${of} ${kind(code).toLowerCase()}` })),
);

export const effect = object({
  price: decimal,
  mark: decimalOrNull,
  mark_stale: flag,
  position_before: decimal,
  position_after: decimal,
  notional: decimal,
  /** What it would be booked with; `source` is "schedule" where nobody said it. */
  fees: list(sourcedFee),
  fees_total: decimal,
  /** Notional and fees, as cash paid: a sale's is negative. */
  net_amount: decimal,
  pnl_at_once: decimalOrNull,
  net_pnl_at_once: decimalOrNull,
  guards: list(object({ ...found.entries, level })),
  refused: list(found),
  limits: list(usedLimit),
});
export type Effect = v.InferOutput<typeof effect>;
