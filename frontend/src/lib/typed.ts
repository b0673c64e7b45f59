/** What a person types into a form's fields, as the terms of a trade. */

import type { TradeRow } from "./answers/trades";
import * as money from "./money";
import { FURTHER, isTooLong, type NewTrade, type SaidName, type Term, type TermName } from "./terms";

/** A price of a trade, to show how one is written. */
const LIKE: Partial<Record<TermName, string>> = { price: "192.81" };
/** Longer than any quantity or price. */
const LONGEST_AMOUNT = 24;

/** A term as the API takes it; empty where nothing is typed. What is no amount stays as typed. */
export function saidOf(term: Term, typed: string): string {
  const said = typed.trim();
  if (term.name === "ticker") return said.toUpperCase();
  return term.kind === "amount" ? (money.parseTyped(said) ?? said) : said;
}

/** What is typed of the terms that have no place of their own; what is empty is left out. */
export function furtherOf(typed: Readonly<Record<TermName, string>>): Partial<NewTrade> {
  const said = FURTHER.map((term) => [term.name, saidOf(term, typed[term.name])] as const);
  return Object.fromEntries(said.filter(([, value]) => value !== ""));
}

/** What is lacking where the price is typed as 0, by field: a 0 must be meant. */
export function zeroComplaints(price: string, isMeant: boolean, note: string): Partial<Record<SaidName, string>> {
  if (!money.isZero(price)) return {};
  return {
    ...(!isMeant && { price_zero: "Tick it if a price of 0 is meant." }),
    ...(note.trim() === "" && { note: "Say why the price is 0." }),
  };
}

/** A complaint that needs no server; null where there is none. */
export function complaintOf(term: Term, typed: string): string | null {
  const said = typed.trim();
  if (said === "" && !term.required) return null;
  if (term.kind === "amount" && money.parseTyped(said) === null)
    return `More than 0, like ${LIKE[term.name] ?? "100"}.`;
  if (term.name === "ticker" && said === "") return "Enter a ticker.";
  return isTooLong(term, said)
    ? `Ensure this field has no more than ${term.longest} characters.`
    : null;
}

/** The most that a term's field takes. */
export function mostTyped(term: Term): number {
  return term.kind === "text" ? term.longest : LONGEST_AMOUNT;
}

/** What a form's field holds of a trade. */
export function typedOf(trade: TradeRow, { name, kind }: Term): string {
  const value = trade[name] ?? "";
  if (name === "price") return money.plainPrice(value);
  return kind === "amount" ? money.plainQuantity(value) : value;
}
