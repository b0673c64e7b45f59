/**
 * What a person types or pastes into a cell of the bulk grid, as the row holds it: seen at once, and
 * told where it is another text than was typed. What is not understood stays as it was typed. Pure.
 */

import { type CellName, FEES } from "../terms";

const SIDES: Readonly<Record<string, string>> = {
  b: "buy", buy: "buy", bot: "buy", bought: "buy", long: "buy", bl: "buy",
  s: "sell", sell: "sell", sld: "sell", sold: "sell", sl: "sell",
};
const TIMES: Readonly<Record<string, number>> = { k: 3, m: 6 };

export function normalised(name: CellName, typed: string, businessDate: string): string {
  const said = typed.replace(/[\s\u00a0]+/g, " ").trim();
  if (said === "") return "";
  switch (name) {
    case "account":
      return said;
    case "ticker":
      return said.toUpperCase().replace(/^\$/, "");
    case "side":
      return SIDES[said.toLowerCase()] ?? said;
    case "quantity":
    case "price":
      return amount(said);
    case "trade_date":
    case "settlement_date":
      return day(said, businessDate);
    default:
      return FEES.kinds.some((kind) => kind.name === name) ? fee(said) : said;
  }
}

/** "(1.25)", "−1.25" and "$-1.25" are -1.25: a rebate. */
function fee(said: string): string {
  const parts = /^\$? ?[-−](.+)$/.exec(said) ?? /^\((.+)\)$/.exec(said);
  const plain = amount(parts?.[1]?.trim() ?? said);
  return parts === null || !/^\d/.test(plain) ? (parts === null ? plain : said) : `-${plain}`;
}

/** "1,000", "$1 000.50", "10k" and "1.5m" as plain numbers. */
function amount(said: string): string {
  const parts = /^\$? ?(\d{1,3}(?:[, ]\d{3})+|\d*)(\.\d+)? ?([km])?$/i.exec(said);
  if (parts === null) return said;
  const [, whole = "", fraction = "", letter] = parts;
  const digits = whole.replace(/[, ]/g, "");
  if (digits === "" && fraction === "") return said;
  if (letter === undefined) return `${digits === "" ? "0" : digits}${fraction}`;
  const places = TIMES[letter.toLowerCase()] ?? 0;
  const behind = fraction.slice(1);
  const moved = `${digits}${behind.slice(0, places).padEnd(places, "0")}`.replace(/^0+(?=\d)/, "");
  const rest = behind.slice(places);
  return rest === "" ? moved : `${moved}.${rest}`;
}

/**
 * "today" and "t", "20261127", "11/27/2026" (month first, as in New York) and "27.11.2026" as the API
 * has days. Whether the calendar has it is told by the row's check.
 */
function day(said: string, businessDate: string): string {
  if (/^t(oday)?$/i.test(said)) return businessDate;
  const iso = (year: string, month: string, date: string): string =>
    `${year}-${month.padStart(2, "0")}-${date.padStart(2, "0")}`;
  let parts = /^(\d{4})(\d\d)(\d\d)$/.exec(said) ?? /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(said);
  if (parts !== null) return iso(parts[1] ?? "", parts[2] ?? "", parts[3] ?? "");
  parts = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(said);
  if (parts !== null) return iso(parts[3] ?? "", parts[1] ?? "", parts[2] ?? "");
  parts = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(said);
  return parts === null ? said : iso(parts[3] ?? "", parts[2] ?? "", parts[1] ?? "");
}
