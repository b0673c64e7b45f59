/**
 * A ticket: what is typed, what is offered, and what becomes of it.
 *
 * The same keys have the same result however slow the network is: what a press needs to be known
 * (a choice from the list of tickers, the price that the ticket offers) is waited for.
 */

import type { Side, Decimal } from "./answers/base";
import type { Account } from "./answers/desk";
import type { TradeRow } from "./answers/trades";
import type { Asked } from "./api/client";
import { Booking, type Terms } from "./booking";
import { FEES_FIELD, feesComplaint, noFees, saidFees } from "./fees";
import * as money from "./money";
import { type Offer, PriceOffer } from "./offer.svelte";
import { FIELDS, NOTHING_SAID, termNamed, TERMS } from "./terms";
import { complaintOf, furtherOf, saidOf, zeroComplaints } from "./typed";

const ALL_FIELDS = [...FIELDS, FEES_FIELD];

/** What a ticket is told of the desk. */
export interface About {
  /** Null while they are being fetched. */
  accounts: readonly Account[] | null;
  watched: readonly string[];
  /** The live price of what is held; null of anything else. */
  priceOf: (ticker: string) => Offer | null;
  /** What an account holds of a ticker, signed; null where that is not watched. */
  heldOf: (account: string, ticker: string) => Decimal | null;
  /** Null until it is known. */
  businessDate: string | null;
}

/** What the server asked about these very terms; other terms are another question. */
interface Question extends Asked {
  terms: string;
}

export class TicketForm {
  chosen = $state<string | null>(null);
  ticker = $state("");
  side = $state<Side>("buy");
  quantity = $state("");
  price = $state("");
  /** A price typed by hand is kept, but only for its ticker: it must not be booked on another. */
  isPriceTyped = $state(false);
  /** Empty: the business date, whatever it is by then. A date is of one trade. */
  tradeDate = $state("");
  /** What is typed of the terms that few trades have. */
  further = $state({ ...NOTHING_SAID });
  fees = $state(noFees());
  isZeroMeant = $state(false);
  busy = $state(false);
  errors = $state<Record<string, string>>({});
  problem = $state<string | null>(null);
  done = $state.raw<TradeRow | null>(null);
  #question = $state.raw<Question | null>(null);

  readonly offer: PriceOffer;
  readonly #booking = new Booking();
  /** A choice from the list of tickers, and a price, that were asked for and are on their way. */
  #choosing: Promise<void> | null = null;
  #picking: Promise<void> | null = null;

  readonly bookable = $derived.by(() =>
    (this.about().accounts ?? []).filter((account) => account.can_book),
  );
  readonly account = $derived.by(
    () =>
      this.bookable.find(({ code }) => code === this.chosen)?.code ??
      this.bookable.find(({ code }) => this.about().watched.includes(code))?.code ??
      this.bookable[0]?.code ??
      "",
  );
  readonly offered = $derived.by(() => this.offer.offered);
  readonly isZero = $derived(money.isZero(this.price));
  readonly asked = $derived.by(() =>
    this.#question?.terms === JSON.stringify(this.#terms()) ? this.#question : null,
  );
  /** What is typed, where it is complete; null where something is lacking. */
  readonly complete = $derived.by(() => {
    const isLacking = this.account === "" || Object.keys(this.#ownComplaints()).length > 0;
    return isLacking ? null : this.#terms();
  });
  /** What is held of what is typed; null where that is nothing, or not known. */
  readonly held = $derived.by(() => {
    const held = this.about().heldOf(this.account, this.#named());
    return held === null || money.sign(held) === 0 ? null : held;
  });
  readonly isPast = $derived.by(() => {
    const { businessDate } = this.about();
    return this.tradeDate !== "" && businessDate !== null && this.tradeDate < businessDate;
  });

  constructor(
    private readonly about: () => About,
    /** Leads the keys to a field. */
    private readonly focus: (field: string) => void,
    private readonly onbooked: (trade: TradeRow) => void,
  ) {
    this.offer = new PriceOffer((name) => this.about().priceOf(name));
  }

  /** Offers the price of this ticker as it is now; also of the same one again, unless one is typed. */
  pick(name: string): void {
    // Leaving the field picks again what Enter picked; what that asked for is still waited for.
    const picking = Promise.all([this.#picking, this.#pick(name)]).then(() => {
      if (this.#picking === picking) this.#picking = null;
    });
    this.#picking = picking;
  }

  async #pick(name: string): Promise<void> {
    if (name !== this.offer.ticker) {
      if (this.offer.ticker !== "") this.isPriceTyped = false;
      delete this.errors["ticker"];
    }
    // What stands there is another ticker's price, or an old one.
    if (!this.offer.knows(name) && !this.isPriceTyped) this.price = "";
    const exists = await this.offer.pick(name);
    if (exists === null) return;
    if (!exists) this.errors["ticker"] = `There is no instrument ${name}.`;
    if (!this.isPriceTyped) this.fillPrice();
  }

  /** A choice from the list was made before the list came. */
  choosing(choice: Promise<void>): void {
    this.#choosing = choice.finally(() => (this.#choosing = null));
  }

  /** Enter in the ticker's field: on to what is to be typed, or looked at, next. */
  goOn(): void {
    if (this.quantity.trim() === "") {
      this.focus("quantity");
      return;
    }
    this.done = null;
    this.problem = `The ticker is ${this.offer.ticker} now. Look at its price, then press again.`;
    this.focus("price");
  }

  fillPrice(): void {
    this.price = this.offered === null ? "" : money.plainPrice(this.offered.price);
    this.isPriceTyped = false;
    delete this.errors["price"];
  }

  typePrice(): void {
    this.isPriceTyped = true;
    delete this.errors["price"];
  }

  /** Starts a ticket: of this side, and for what a position names. */
  start(way: Side, of?: { account: string; ticker: string }): void {
    this.side = way;
    if (of !== undefined) {
      if (this.bookable.some(({ code }) => code === of.account)) this.chosen = of.account;
      this.ticker = of.ticker;
    }
    const name = of?.ticker ?? this.offer.ticker;
    if (name !== "") this.pick(name);
    this.focus(of === undefined ? "ticker" : "quantity");
  }

  /** All of what is held is traded away; or twice that, so that as much is held the other way. */
  getOut(reverses: boolean): void {
    const { held } = this;
    if (held === null) return;
    const isShort = money.sign(held) < 0;
    const size = isShort ? money.minus("0", held) : held;
    this.side = isShort ? "buy" : "sell";
    this.quantity = money.plainQuantity(reverses ? money.sum([size, size]) : size);
    delete this.errors["quantity"];
    this.focus("quantity");
  }

  async submit(): Promise<void> {
    if (this.busy || this.#booking.passesOver(this.quantity)) return;
    this.done = null;
    this.problem = null;
    this.#question = null;
    this.busy = true;
    await this.#settled();
    this.errors = this.#ownComplaints();
    if (Object.keys(this.errors).length > 0) {
      this.busy = false;
      this.#focusFirstError();
      return;
    }
    await this.#book(null);
  }

  /** Books what was asked about, as it was asked. */
  async confirm(): Promise<void> {
    const { asked } = this;
    if (this.busy || asked === null) return;
    this.busy = true;
    await this.#book(asked.confirm);
  }

  /** Back to what the question is about. */
  edit(): void {
    const field = this.asked?.complaints.find(({ attr }) => attr !== null && FIELDS.includes(attr))?.attr;
    this.#question = null;
    this.focus(field ?? "quantity");
  }

  async #book(confirm: string | null): Promise<void> {
    const terms = this.#terms();
    const outcome = await this.#booking.submit(terms, confirm);
    this.busy = false;
    this.#question = null;
    switch (outcome.kind) {
      case "booked":
        this.#booked(outcome.trade);
        break;
      case "asked":
        this.#question = { ...outcome, terms: JSON.stringify(terms) };
        break;
      case "refused":
        for (const { attr, detail } of outcome.complaints) {
          const field = attr?.split(".")[0] ?? "";
          if (ALL_FIELDS.includes(field)) this.errors[field] ??= detail;
          else this.problem = this.problem === null ? detail : `${this.problem} ${detail}`;
        }
        this.#focusFirstError();
        break;
      case "unknown":
        this.problem = `${outcome.detail} It may have been booked. Press again: it books at most once.`;
        break;
    }
  }

  /** What the press is about is known: the chosen ticker, and the price that it offers. */
  async #settled(): Promise<void> {
    await this.#choosing;
    const named = this.#named();
    if (named !== "" && named !== this.offer.ticker) this.pick(named);
    if (this.price.trim() === "" && !this.isPriceTyped) await this.#picking;
  }

  #named(): string {
    return this.ticker.trim().toUpperCase();
  }

  #terms(): Terms {
    const { businessDate } = this.about();
    const fees = saidFees(this.fees);
    return {
      account: this.account,
      ticker: this.#named(),
      side: this.side,
      quantity: saidOf(termNamed("quantity"), this.quantity),
      price: saidOf(termNamed("price"), this.price),
      ...(this.tradeDate !== "" && this.tradeDate !== businessDate && { trade_date: this.tradeDate }),
      ...furtherOf(this.further),
      ...(this.isZero && { price_zero: true }),
      ...(fees.length > 0 && { fees: fees }),
    };
  }

  /** Complaints that need no server; everything else is the server's to judge. */
  #ownComplaints(): Record<string, string> {
    const found: Record<string, string> = {};
    const typed = { ...this.further, ticker: this.ticker, quantity: this.quantity, price: this.price };
    for (const term of TERMS) {
      const complaint = complaintOf(term, typed[term.name]);
      if (complaint !== null) found[term.name] = complaint;
    }
    const ofFees = feesComplaint(this.fees);
    if (ofFees !== null) found[FEES_FIELD] = ofFees;
    return { ...zeroComplaints(this.price, this.isZeroMeant, this.further.note), ...found };
  }

  #booked(trade: TradeRow): void {
    this.done = trade;
    this.quantity = "";
    this.tradeDate = "";
    this.further = { ...NOTHING_SAID };
    this.fees = noFees();
    this.isZeroMeant = false;
    this.isPriceTyped = false;
    this.pick(this.offer.ticker);
    this.onbooked(trade);
    this.focus("quantity");
  }

  #focusFirstError(): void {
    const first = ALL_FIELDS.find((field) => field in this.errors);
    if (first !== undefined) this.focus(first);
  }
}
