/**
 * The terms of a trade as the server declares them: `terms.json` is made of `trades/terms.py`, the
 * types are those of the API's schema. `make api` makes both anew, and `make lint` compares them.
 * Forms, files, lists and versions follow from here: no other module lists the terms.
 */

import type { components } from "./api/schema";
import table from "./terms.json";

type Schemas = components["schemas"];

/** The plain terms of a booking as the API takes it: what is left out is not said. */
export type NewTrade = Omit<Schemas["BookingInRequest"], "confirm" | "fees">;
/** The fees of a trade, beside its plain terms. */
export interface WithFees {
  fees?: Schemas["FeeInRequest"][];
}
export type FeeKind = NonNullable<WithFees["fees"]>[number]["kind"];
/** What a correction may change; those left out stay. */
export type ChangedTerms = Omit<
  Schemas["PatchedAmendmentInRequest"],
  "version" | "reason" | "confirm" | "fees"
>;

/** All that a caller may say; `price_zero` is kept nowhere, for a price of 0 says it. */
export type SaidName = keyof NewTrade;
/** What a row of many trades has cells of: a kind of fees has one of its own. */
export type CellName = SaidName | FeeKind;
export type TermName = Exclude<SaidName, "price_zero">;
export type AmendableName = Exclude<keyof ChangedTerms, "price_zero">;

/** The terms that the answer about a trade, or one about a version, holds. */
export type TradeTerms = Pick<Schemas["TradeOut"], TermName>;
export type VersionTerms = Pick<
  Schemas["TradeVersionOut"],
  TermName & keyof Schemas["TradeVersionOut"]
>;

/** What a value is: an amount is a quantity or a price, a moment a day and a time. */
export type Kind = "text" | "side" | "amount" | "day" | "moment";

export interface Term<Name extends TermName = TermName> {
  name: Name;
  kind: Kind;
  label: string;
  required: boolean;
  /** Characters of a text; 0 for other kinds. */
  longest: number;
  may_be_blank: boolean;
  /** Whether an amount may be 0. */
  may_be_zero: boolean;
  /** Whether it is null in an answer where nobody said it. */
  may_be_null: boolean;
  /** Whether a correction may change it. */
  amendable: boolean;
  /** Whether each version has it. */
  versioned: boolean;
}

export const TERMS = table.terms as readonly Term[];
export const VERSIONED = TERMS.filter((term): term is Term<keyof VersionTerms> => term.versioned);
export const AMENDABLE = TERMS.filter((term): term is Term<AmendableName> => term.amendable);
export const REQUIRED = TERMS.filter((term) => term.required);

/** That a price of 0 is meant; a note must say why. */
export const PRICE_ZERO = table.price_zero as Pick<Term, "label"> & { name: "price_zero" };

/** What a column of a file may mean: the terms, a kind of fees, and what only helps to read its rows. */
export const READABLE: readonly { name: string; label: string }[] = [
  ...table.terms,
  table.price_zero,
  ...table.fees.kinds.map(({ name, label }) => ({ name, label: `Fee, ${label.toLowerCase()}` })),
  ...table.file_only,
];

/** Each in its own place on a form, in a list or in a sentence; a form asks for them in this order. */
const PLACED: readonly TermName[] = ["account", "trade_date", "ticker", "side", "quantity", "price"];
/** No form asks for these: the server sets the time, and the page the id. */
const UNASKED: readonly TermName[] = ["executed_at", "client_trade_id"];
/** All others: a form asks for each in a plain field, and a list has each in a plain column. */
export const FURTHER = TERMS.filter(({ name }) => ![...PLACED, ...UNASKED].includes(name));
/** The fields of a form, in its order. A price of 0 brings one more. */
export const FIELDS: readonly string[] = [...PLACED, PRICE_ZERO.name, ...FURTHER.map(({ name }) => name)];

/** What the ids begin with that this page makes for a form: they do not say which trade it is. */
export const PAGE_ID = table.page_id;
/** What kinds of fees there are. */
export const FEES = table.fees as {
  kinds: readonly { name: FeeKind; label: string }[];
  decimals: number;
  most: string;
};
export const REASON_LONGEST = table.reason_longest;
/** The limits of a quantity or price. */
export const AMOUNT = table.amount;
export const REJECTED_COLUMNS: readonly string[] = table.rejected_columns;

export function termNamed<Name extends TermName>(name: Name): Term<Name> {
  return TERMS.find((term) => term.name === name) as Term<Name>;
}

/** Every term without a value, as a form or a row of a file begins. */
export const NOTHING_SAID = Object.fromEntries(
  [...TERMS, PRICE_ZERO].map(({ name }) => [name, ""]),
) as Readonly<Record<SaidName, string>>;

/** As the server counts: characters, not the halves that JavaScript makes of some. */
export function isTooLong(term: Term, text: string): boolean {
  const may = term.kind === "text" && text.length > term.longest;
  return may && [...text].length > term.longest;
}
