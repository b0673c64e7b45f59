/** Which way figures moved, for the colour in which their cells flash. */

import type { Decimal } from "../answers/base";
import * as money from "../money";

/** Which way each figure of a row moved when it replaced its predecessor. */
export type Moves = WeakMap<object, Record<string, -1 | 1>>;

export function recordMoves<Row extends object>(
  moves: Moves,
  before: Row,
  after: Row,
  fields: readonly (keyof Row & string)[],
): void {
  const moved: Record<string, -1 | 1> = {};
  for (const field of fields) {
    const [old, now] = [before[field] as Decimal | null, after[field] as Decimal | null];
    if (old === null || now === null || old === now) continue;
    const direction = money.sign(money.sum([now, old.startsWith("-") ? old.slice(1) : `-${old}`]));
    if (direction !== 0) moved[field] = direction;
  }
  moves.set(after, moved);
}
