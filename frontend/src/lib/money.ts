/**
 * Exact decimal arithmetic and formatting for the screen.
 *
 * Values are strings in plain notation, as the API sends them. Nothing here goes through a
 * JavaScript number, except sorting. Rounding happens last, half up (away from zero at a half),
 * as the server's own screens do.
 */

import type { Decimal } from "./answers/base";

/** U+2212: as wide as the plus sign and the digits, so that columns line up. */
const MINUS = "−";

interface Parts {
  negative: boolean;
  whole: string;
  fraction: string;
}

function split(value: Decimal): Parts {
  const negative = value.startsWith("-");
  const [whole = "0", fraction = ""] = (negative ? value.slice(1) : value).split(".");
  return { negative, whole: whole.replace(/^0+(?=\d)/, ""), fraction };
}

function group(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The value as an integer count of 10^-scale. Raises RangeError when it has more decimals. */
export function scaled(value: Decimal, scale: number): bigint {
  const { negative, whole, fraction } = split(value);
  if (fraction.length > scale) throw new RangeError(`${value} has more than ${scale} decimals`);
  const digits = BigInt(whole + fraction.padEnd(scale, "0"));
  return negative ? -digits : digits;
}

function decimals(value: Decimal): number {
  const point = value.indexOf(".");
  return point < 0 ? 0 : value.length - point - 1;
}

/** −1, 0 or 1. */
export function sign(value: Decimal): -1 | 0 | 1 {
  if (!/[1-9]/.test(value)) return 0;
  return value.startsWith("-") ? -1 : 1;
}

/** The exact sum; no values sum to "0". Nothing is rounded. */
export function sum(values: readonly Decimal[]): Decimal {
  const scale = values.reduce((most, value) => Math.max(most, decimals(value)), 0);
  const total = values.reduce((running, value) => running + scaled(value, scale), 0n);
  return fromScaled(total, scale);
}

/** The value of `total` counts of 10^-scale, with all `scale` decimals. */
export function fromScaled(total: bigint, scale: number): Decimal {
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const text = scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`;
  return total < 0n ? `-${text}` : text;
}

/** `total` divided by `count`, half up. */
export function share(total: Decimal, count: number, places: number): Decimal {
  const scale = Math.max(decimals(total), places) + 2;
  const top = scaled(total, scale);
  const magnitude = (top < 0n ? -top : top) / BigInt(count);
  return round(fromScaled(top < 0n ? -magnitude : magnitude, scale), places);
}

/** The exact difference. */
export function minus(left: Decimal, right: Decimal): Decimal {
  return sum([left, right.startsWith("-") ? right.slice(1) : `-${right}`]);
}

/**
 * `part` of `whole` in percent, to 2 decimals half up, signed: "+1.25%"; null when whole is zero.
 */
export function percent(part: Decimal, whole: Decimal): string | null {
  const scale = Math.max(decimals(part), decimals(whole));
  const [top, bottom] = [scaled(part, scale), scaled(whole, scale)];
  if (bottom === 0n) return null;
  const magnitude = ((top < 0n ? -top : top) * 100_000_000n) / (bottom < 0n ? -bottom : bottom);
  const shown = fromScaled(magnitude, 6);
  const negative = top < 0n !== bottom < 0n;
  return `${signedMoney(negative ? `-${shown}` : shown)}%`;
}

/** Whether what is typed as an amount is 0, however it is written. */
export function isZero(typed: string): boolean {
  const value = parseTyped(typed);
  return value !== null && sign(value) === 0;
}

/** Rounded half up to `places` decimals, still plain notation; minus zero becomes zero. */
export function round(value: Decimal, places: number): Decimal {
  const { negative, whole, fraction } = split(value);
  let digits = BigInt(whole + fraction.slice(0, places).padEnd(places, "0"));
  if ((fraction[places] ?? "0") >= "5") digits += 1n;
  const text = digits.toString().padStart(places + 1, "0");
  const rounded =
    places === 0 ? text : `${text.slice(0, -places)}.${text.slice(text.length - places)}`;
  return negative && digits !== 0n ? `-${rounded}` : rounded;
}

/** To the cent with thousands separators: "-7424.405" is "−7,424.41". */
export function money(value: Decimal): string {
  const { negative, whole, fraction } = split(round(value, 2));
  return `${negative ? MINUS : ""}${group(whole)}.${fraction}`;
}

/** Like money, with a plus sign on a gain; what rounds to zero has no sign. */
export function signedMoney(value: Decimal): string {
  const shown = money(value);
  return sign(round(value, 2)) > 0 ? `+${shown}` : shown;
}

/** A quantity: thousands separators, no trailing zeros, nothing rounded. */
export function quantity(value: Decimal): string {
  const { negative, whole, fraction } = split(value);
  const kept = fraction.replace(/0+$/, "");
  const shown = kept === "" ? group(whole) : `${group(whole)}.${kept}`;
  return negative && sign(value) !== 0 ? `${MINUS}${shown}` : shown;
}

/** Without needless zeros but with cents: "192.810000" is "192.81", "5" is "5.00". */
export function plainPrice(value: Decimal): Decimal {
  const { negative, whole, fraction } = split(value);
  return `${negative ? "-" : ""}${whole}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`;
}

/** Without needless zeros: "100.000000" is "100". For fields, so without separators. */
export function plainQuantity(value: Decimal): Decimal {
  return value.includes(".") ? value.replace(/\.?0+$/, "") : value;
}

/** A price: all its decimals, because cents are too coarse for a penny stock. */
export function price(value: Decimal): string {
  const { negative, whole, fraction } = split(plainPrice(value));
  return `${negative ? MINUS : ""}${group(whole)}.${fraction}`;
}

/** Decimals that a list has room for behind one digit; each further digit takes the room of one. */
const ROOM = 6;

/**
 * What a list shows of a number: up to 6 decimals, else its beginning: "3.333333…" of 3.3333333333,
 * "105.3333…" of 105.3333333333. Nothing is rounded, and what is tiny is not shown as 0.
 */
function brief(value: Decimal, inFull: (value: Decimal) => string): string {
  const { negative, whole, fraction } = split(value);
  if (fraction.replace(/0+$/, "").length <= ROOM) return inFull(value);
  if (whole === "0" && leadingZeros(value) >= ROOM) return negative ? `>${MINUS}${TINY}` : `<${TINY}`;
  const room = Math.max(2, ROOM + 1 - whole.length);
  return `${negative ? MINUS : ""}${group(whole)}.${fraction.slice(0, room)}…`;
}

const TINY = `0.${"1".padStart(ROOM, "0")}`;

const FIGURE_SPACE = "\u2007";
const POINT_SPACE = "\u2008";

/** Decimals of what is shown; what stands for more of them counts as one. */
export function shownDecimals(shown: string): number {
  const point = shown.indexOf(".");
  return point < 0 ? 0 : shown.length - point - 1;
}

/** With room for as many decimals as its neighbours have, so that all points stand in one line. */
export function aligned(shown: string, places: number): string {
  const lacking = places - shownDecimals(shown);
  if (lacking <= 0) return shown;
  return `${shown}${shown.includes(".") ? "" : POINT_SPACE}${FIGURE_SPACE.repeat(lacking)}`;
}

/** Whether a list shows less than there is. */
export function isBrief(shown: string): boolean {
  return /^[<>]|…$/.test(shown);
}

/** The zeros between the point and the first digit of a number below 1; else 0. */
function leadingZeros(value: Decimal): number {
  const { whole, fraction } = split(value);
  return whole === "0" ? Math.max(fraction.search(/[1-9]/), 0) : 0;
}

/** A quantity for a list. */
export function briefQuantity(value: Decimal): string {
  return brief(value, quantity);
}

/** A price for a list. */
export function briefPrice(value: Decimal): string {
  return brief(value, price);
}

/** A computed price such as an average, half up: at most 4 decimals, and of a tiny one 2 digits. */
export function shortPrice(value: Decimal): string {
  return price(round(value, Math.max(4, leadingZeros(value) + 2)));
}

/**
 * For sorting only: numbers, then nulls, as AG Grid's comparators want it.
 *
 * Nulls stay last in both directions, so that unknown figures never top a list.
 */
export function compareDecimals(
  left: Decimal | null | undefined,
  right: Decimal | null | undefined,
  descending: boolean,
): number {
  if (left === right) return 0;
  const last = descending ? -1 : 1;
  if (left === null || left === undefined) return last;
  if (right === null || right === undefined) return -last;
  return rough(left) - rough(right);
}

/** So many numbers are kept. */
const KEPT = 50_000;
const numbers = new Map<Decimal, number>();

/** As a JavaScript number; a sort of a list asks for each of its figures a dozen times. */
function rough(value: Decimal): number {
  let number = numbers.get(value);
  if (number === undefined) {
    if (numbers.size >= KEPT) numbers.clear();
    numbers.set(value, (number = Number(value)));
  }
  return number;
}

/** How many places a letter behind an amount moves its point. */
const PLACES: Readonly<Record<string, number>> = { k: 3, m: 6 };

/**
 * What a person types as a quantity or price, in plain notation, or null when it is not one: "1,000",
 * "$1 000.50", "10k" and "1.5m" are.
 *
 * Thousands separators are allowed only in their places: "1,5" must not become 15.
 */
export function parseTyped(typed: string): Decimal | null {
  const parts = /^\$? ?(\d{1,3}(?:[, ]\d{3})+|\d*)(\.\d+)? ?([km])?$/i.exec(typed.trim());
  if (parts === null) return null;
  const [, whole = "", fraction = "", letter] = parts;
  const digits = whole.replace(/[, ]/g, "");
  if (digits === "" && fraction === "") return null;
  if (letter === undefined) return `${digits === "" ? "0" : digits}${fraction}`;
  const places = PLACES[letter.toLowerCase()] ?? 0;
  const behind = fraction.slice(1);
  const moved = `${digits}${behind.slice(0, places).padEnd(places, "0")}`.replace(/^0+(?=\d)/, "");
  const rest = behind.slice(places);
  return rest === "" ? moved : `${moved}.${rest}`;
}
