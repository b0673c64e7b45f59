/**
 * One trade ticket's way through the network, such that it books at most once.
 *
 * The client_trade_id belongs to the ticket until it is known what became of it. After a refusal
 * (4xx) nothing was booked, after a success the ticket is done: both get a new id next time. With
 * no answer, or a 5xx, it may have been booked, so the id stays: pressing again then either books
 * it or finds it booked, and never books it twice.
 */

import type { TradeRow } from "./answers/trades";
import { type Complaint, newClientTradeId, Refused } from "./api/client";
import { bookTrade } from "./api/trades";
import type { NewTrade, WithFees } from "./terms";

export type Terms = Omit<NewTrade, "client_trade_id"> & WithFees;

export type Outcome =
  | { kind: "booked"; trade: TradeRow }
  | { kind: "refused"; complaints: Complaint[] }
  /** Nothing was booked: the same terms with `confirm` are. */
  | { kind: "asked"; complaints: Complaint[]; confirm: string }
  | { kind: "unknown"; detail: string }
  /** The press came while another was under way. */
  | { kind: "ignored" };

/** A second click of a double click comes within this after the first one's success, in ms. */
const SECOND_CLICK = 800;

export class Booking {
  #id: string | null = null;
  #underway = false;
  #bookedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly send: (trade: NewTrade & WithFees, confirm: string | null) => Promise<TradeRow> = bookTrade,
    private readonly newId: () => string = newClientTradeId,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Whether a press is to be passed over without a complaint: one is under way, or it is the second
   * click of a double click, which meets the quantity that the first one's success has emptied.
   * Where there is a quantity again, the press is for the next trade.
   */
  passesOver(quantity: string): boolean {
    const isSecond = quantity.trim() === "" && this.now() - this.#bookedAt < SECOND_CLICK;
    return this.#underway || isSecond;
  }

  async submit(terms: Terms, confirm: string | null = null): Promise<Outcome> {
    if (this.#underway) return { kind: "ignored" };
    this.#underway = true;
    this.#id ??= this.newId();
    try {
      const trade = await this.send({ ...terms, client_trade_id: this.#id }, confirm);
      this.#id = null;
      this.#bookedAt = this.now();
      return { kind: "booked", trade };
    } catch (error) {
      if (error instanceof Refused && error.confirm !== null)
        return { kind: "asked", complaints: error.complaints, confirm: error.confirm };
      if (error instanceof Refused && error.status < 500) {
        this.#id = null;
        return { kind: "refused", complaints: error.complaints };
      }
      const detail = error instanceof Error ? error.message : String(error);
      return { kind: "unknown", detail };
    } finally {
      this.#underway = false;
    }
  }
}
