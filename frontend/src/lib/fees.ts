/** What a trade cost beside its price, by kind, in US dollars: a rebate is negative. */

import type { Decimal } from "./answers/base";
import type { Fee } from "./answers/trades";
import * as money from "./money";
import { FEES, type FeeKind, type WithFees } from "./terms";

export type TypedFees = Record<FeeKind, string>;
type SaidFees = NonNullable<WithFees["fees"]>;

/** The name under which a form complains of fees; each kind's field begins with it. */
export const FEES_FIELD = "fees";

export const noFees = (): TypedFees =>
  Object.fromEntries(FEES.kinds.map(({ name }) => [name, ""])) as TypedFees;

export function typedFees(fees: readonly Fee[]): TypedFees {
  return { ...noFees(), ...Object.fromEntries(fees.map(({ kind, amount }) => [kind, money.plainQuantity(amount)])) };
}

/** What is typed, as the API takes it; what is empty is no fee. What is no amount stays as typed. */
export function saidFees(typed: Readonly<TypedFees>): SaidFees {
  return FEES.kinds.flatMap(({ name }) => {
    const said = typed[name].trim();
    return said === "" ? [] : [{ kind: name, amount: amountOf(said) ?? said }];
  });
}

function amountOf(said: string): Decimal | null {
  const negative = /^[-−]/.test(said);
  const amount = money.parseTyped(negative ? said.slice(1) : said);
  return amount !== null && negative ? `-${amount}` : amount;
}

/** A complaint that needs no server; null where there is none. */
export function feesComplaint(typed: Readonly<TypedFees>): string | null {
  for (const { name, label } of FEES.kinds) {
    const complaint = feeComplaint(typed[name].trim());
    if (complaint !== null) return `${label}: ${complaint}.`;
  }
  return null;
}

/** What is wrong with one amount, as what follows the name of its kind; null where nothing is. */
export function feeComplaint(said: string): string | null {
  if (said === "") return null;
  const amount = amountOf(said);
  if (amount === null) return "an amount like 4.50, or −0.20 for a rebate";
  if ((amount.split(".")[1]?.replace(/0+$/, "").length ?? 0) > FEES.decimals)
    return `at most ${FEES.decimals} decimals`;
  const size = amount.replace("-", "");
  return money.sign(money.minus(size, FEES.most)) > 0
    ? `at most ${Number(FEES.most).toLocaleString("en-GB")}`
    : null;
}

/** All of them together, exactly. */
export function feesTotal(fees: readonly Fee[]): Decimal {
  return money.sum(fees.map(({ amount }) => amount));
}

/** Kinds whose amounts differ, in the order of the kinds; null where there was, or is, none. */
export function changedFees(
  before: readonly Fee[],
  after: readonly Fee[],
): { label: string; was: Decimal | null; is: Decimal | null }[] {
  const of = (fees: readonly Fee[], kind: string): Decimal | null =>
    fees.find((fee) => fee.kind === kind)?.amount ?? null;
  return FEES.kinds.flatMap(({ name, label }) => {
    const [was, is] = [of(before, name), of(after, name)];
    const isSame = was === null || is === null ? was === is : money.sign(money.minus(is, was)) === 0;
    return isSame ? [] : [{ label, was, is }];
  });
}
