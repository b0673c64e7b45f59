/** The small checks of which the validators are made. Each names the field that is wrong. */

import type { Decimal } from "./types";

/** The server sent something else than the contract says; `message` names the field. */
export class InvalidMessage extends Error {
  override name = "InvalidMessage";
}

export type Fields = Record<string, unknown>;

const DECIMAL = /^-?\d+(\.\d+)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

export function fail(field: string, wanted: string, value: unknown): never {
  const got = value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value);
  throw new InvalidMessage(`${field}: expected ${wanted}, got ${got.slice(0, 60)}`);
}

export function object(value: unknown, field: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    fail(field, "an object", value);
  return value as Fields;
}

export function list<T>(value: unknown, field: string, item: (value: unknown) => T): T[] {
  if (!Array.isArray(value)) fail(field, "a list", value);
  return value.map(item);
}

/** An update holds only what changed, so a list may be absent. */
export function optionalList<T>(value: unknown, field: string, item: (value: unknown) => T): T[] {
  return value === undefined ? [] : list(value, field, item);
}

export function text(row: Fields, field: string): string {
  const value = row[field];
  return typeof value === "string" ? value : fail(field, "text", value);
}

export function textOrNull(row: Fields, field: string): string | null {
  return row[field] === null ? null : text(row, field);
}

export function flag(row: Fields, field: string): boolean {
  const value = row[field];
  return typeof value === "boolean" ? value : fail(field, "true or false", value);
}

export function count(row: Fields, field: string): number {
  const value = row[field];
  return Number.isSafeInteger(value) ? (value as number) : fail(field, "a whole number", value);
}

/** Whole numbers by name. */
export function counts(value: unknown, field: string): Record<string, number> {
  const row = object(value, field);
  return Object.fromEntries(Object.keys(row).map((name) => [name, count(row, name)]));
}

export function decimal(row: Fields, field: string): Decimal {
  const value = row[field];
  return typeof value === "string" && DECIMAL.test(value)
    ? value
    : fail(field, "a decimal as a string", value);
}

export function decimalOrNull(row: Fields, field: string): Decimal | null {
  return row[field] === null ? null : decimal(row, field);
}

export function date(row: Fields, field: string): string {
  const value = row[field];
  return typeof value === "string" && DATE.test(value) ? value : fail(field, "a date", value);
}
