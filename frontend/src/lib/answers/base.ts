/**
 * What answers are made of. Each kind of row is one schema: the check of what came over the wire, and
 * by `v.InferOutput` the type of what the page reads. Fields that no schema names are left out: the
 * server may add some.
 */

import * as v from "valibot";

/** A string in plain notation: a JavaScript number cannot hold every price or sum exactly. */
export type Decimal = string;

/** The server sent something else than the contract says; `message` names the field. */
export class InvalidMessage extends Error {
  override name = "InvalidMessage";
}

const DECIMAL = /^-?\d+(\.\d+)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

// What a schema says where it fails is what was expected.
export const text = v.string("text");
export const flag = v.boolean("true or false");
export const number = v.number("a number");
export const count = v.custom<number>(Number.isSafeInteger, "a whole number");
export const decimal = v.custom<Decimal>(
  (value) => typeof value === "string" && DECIMAL.test(value),
  "a decimal as a string",
);
/** `YYYY-MM-DD`; times are texts: ISO 8601 with an offset. */
export const date = v.custom<string>((value) => typeof value === "string" && DATE.test(value), "a date");
export const side = v.picklist(["buy", "sell"], "buy or sell");
export const textOrNull = v.nullable(text);
/** Null is unknown, which is not zero. */
export const decimalOrNull = v.nullable(decimal);
/** Whole numbers by name. */
export const counts = v.record(v.string(), count, "an object");

export type Side = v.InferOutput<typeof side>;

export const object = <const Entries extends v.ObjectEntries>(entries: Entries) => v.object(entries, "an object");
export const list = <Item extends v.GenericSchema>(item: Item) => v.array(item, "a list");

/** An update holds only what changed, so a list may be absent. */
export const optionalList = <Item extends v.GenericSchema>(item: Item) => v.optional(list(item), () => []);

/**
 * What came, as the schema has it. `name` says what it is where it is wrong as a whole.
 *
 * Raises InvalidMessage, which names the field.
 */
export function read<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  name = "answer",
): v.InferOutput<Schema> {
  const found = v.safeParse(schema, value, { abortEarly: true });
  if (found.success) return found.output;
  const [issue] = found.issues;
  const isMissing = issue.type === "object" && issue.received === "undefined";
  const expected = isMissing ? "something" : issue.message;
  const got = issue.input === undefined ? "nothing" : (JSON.stringify(issue.input) ?? typeof issue.input);
  throw new InvalidMessage(`${v.getDotPath(issue) ?? name}: expected ${expected}, got ${got.slice(0, 60)}`);
}
