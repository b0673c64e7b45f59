/**
 * The same checks without the steps in which valibot takes them, for what comes many times a second.
 *
 * A schema is turned once into a function that only looks: a row that is as described is taken as it
 * came, with whatever else the server may have added. What a schema changes (it has a pipe, a fallback
 * or something that stands for what is absent) is made by valibot; and where something is wrong valibot
 * reads the whole again and says what.
 */

import * as v from "valibot";

import { read } from "./base";

type Check = (value: unknown) => boolean;

/** What the schemas hold that are read here. */
interface Parts {
  type: string;
  pipe?: unknown;
  fallback?: unknown;
  default?: unknown;
  entries?: Record<string, v.GenericSchema>;
  item?: v.GenericSchema;
  wrapped?: v.GenericSchema;
  value?: v.GenericSchema;
  options?: readonly unknown[];
  literal?: unknown;
  check?: Check;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Null where it takes more than looking. */
function all(schemas: readonly v.GenericSchema[]): Check[] | null {
  const checks = schemas.map(checkOf);
  return checks.every((each) => each !== null) ? checks : null;
}

function objectCheck(entries: Record<string, v.GenericSchema>): Check | null {
  const names = Object.keys(entries);
  const checks = all(Object.values(entries));
  if (checks === null) return null;
  return (value) => {
    if (!isObject(value)) return false;
    for (let n = 0; n < names.length; n++) if (checks[n]?.(value[names[n] as string]) !== true) return false;
    return true;
  };
}

function checkOf(schema: v.GenericSchema): Check | null {
  const parts = schema as unknown as Parts;
  const { type, entries, item, wrapped, options, check, value: each } = parts;
  if (parts.pipe !== undefined || parts.fallback !== undefined || parts.default !== undefined) return null;
  switch (type) {
    case "string":
    case "boolean":
      return (value) => typeof value === type;
    case "number":
      return (value) => typeof value === "number" && !Number.isNaN(value);
    case "literal":
      return (value) => value === parts.literal;
    case "custom":
      return check ?? null;
    case "picklist":
      return options === undefined ? null : (value) => options.includes(value);
    case "object":
      return entries === undefined ? null : objectCheck(entries);
  }
  const inner = wrapped ?? item ?? each;
  const one = inner === undefined ? null : checkOf(inner);
  if (one === null) return null;
  switch (type) {
    case "nullable":
      return (value) => value === null || one(value);
    case "array":
      return (value) => Array.isArray(value) && value.every(one);
    case "record":
      return (value) => isObject(value) && Object.values(value).every(one);
  }
  return null;
}

/** An object of which parts may be absent: those that are there are looked at, or read by valibot. */
function partsOf(entries: Record<string, v.GenericSchema>): (row: Record<string, unknown>) => Record<string, unknown> | null {
  const parts = Object.entries(entries).map(([name, schema]) => {
    const { type, wrapped } = schema as unknown as Parts;
    return { name, schema, check: checkOf(type === "optional" && wrapped !== undefined ? wrapped : schema) };
  });
  return (row) => {
    const found: Record<string, unknown> = {};
    for (const { name, schema, check } of parts) {
      const value = row[name];
      if (check !== null && value !== undefined) {
        if (!check(value)) return null;
        found[name] = value;
      } else {
        const one = v.safeParse(schema, value, { abortEarly: true });
        if (!one.success) return null;
        found[name] = one.output;
      }
    }
    return found;
  };
}

/** As `read`, made ready for one schema: of an object, or of anything that valibot shall read. */
export function quick<const Schema extends v.GenericSchema>(
  schema: Schema,
): (value: unknown, name: string) => v.InferOutput<Schema> {
  const { entries, pipe } = schema as unknown as Parts;
  const parts = entries === undefined || pipe !== undefined ? null : partsOf(entries);
  return (value, name) => {
    const found = parts !== null && isObject(value) ? parts(value) : null;
    return found === null ? read(schema, value, name) : (found as v.InferOutput<Schema>);
  };
}
