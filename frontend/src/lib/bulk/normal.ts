/**
 * What a person types or pastes into a cell of the bulk grid, as the row holds it: seen at once, and
 * told where it is another text than was typed. What is not understood stays as it was typed. Pure.
 */

import { parseTyped } from "../money";
import { type CellName, FEES } from "../terms";

const SIDES: Readonly<Record<string, string>> = {
  b: "buy", buy: "buy", bot: "buy", bought: "buy", long: "buy", bl: "buy", kauf: "buy",
  s: "sell", sell: "sell", sld: "sell", sold: "sell", sl: "sell", verkauf: "sell",
};

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
      return parseTyped(said) ?? said;
    case "trade_date":
    case "settlement_date":
      return day(said, businessDate);
    default:
      return FEES.kinds.some((kind) => kind.name === name) ? fee(said) : said;
  }
}

const amount = (said: string): string => parseTyped(said) ?? said;

/** "(1.25)", "−1.25" and "$-1.25" are -1.25: a rebate. */
function fee(said: string): string {
  const parts = /^\$? ?[-−](.+)$/.exec(said) ?? /^\((.+)\)$/.exec(said);
  const plain = amount(parts?.[1]?.trim() ?? said);
  return parts === null || !/^\d/.test(plain) ? (parts === null ? plain : said) : `-${plain}`;
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
