import { describe, expect, it } from "vitest";

import type { TradeRow } from "../src/lib/answers/trades";
import { Refused, Unreachable } from "../src/lib/api/client";
import { Booking } from "../src/lib/booking";
import type { NewTrade } from "../src/lib/terms";
import { trade } from "./rows";

const terms = { account: "Test2", ticker: "AAPL", side: "buy", quantity: "10", price: "10" } as const;

function desk(answers: (TradeRow | Error)[]) {
  const sent: NewTrade[] = [];
  const tokens: (string | null)[] = [];
  const clock = { now: 0 };
  let ids = 0;
  const booking = new Booking(
    async (each, confirm) => {
      sent.push(each);
      tokens.push(confirm);
      const answer = answers.shift();
      if (answer === undefined) throw new Error("No answer was planned.");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    () => `id-${++ids}`,
    () => clock.now,
  );
  return { booking, sent, tokens, clock };
}

describe("a ticket", () => {
  it("books once when it is pressed twice at once", async () => {
    const { booking, sent } = desk([trade(), trade()]);
    const outcomes = await Promise.all([booking.submit(terms), booking.submit(terms)]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["booked", "ignored"]);
    expect(sent).toHaveLength(1);
  });

  it("passes over the second click just after the answer, which meets an empty quantity", async () => {
    const { booking, clock } = desk([trade()]);
    expect(booking.passesOver("")).toBe(false);
    await booking.submit(terms);
    clock.now = 300;
    expect(booking.passesOver("")).toBe(true);
    expect(booking.passesOver("50")).toBe(false);
    clock.now = 2_000;
    expect(booking.passesOver("")).toBe(false);
  });

  it("books the next trade, however soon it comes", async () => {
    const { booking, sent, clock } = desk([trade(), trade()]);
    await booking.submit(terms);
    clock.now = 300;
    expect((await booking.submit(terms)).kind).toBe("booked");
    expect(sent.map((each) => each.client_trade_id)).toEqual(["id-1", "id-2"]);
  });

  it.each([new Unreachable("Nothing."), new Refused(503, [])])(
    "keeps its id when %s leaves it open whether it was booked",
    async (error) => {
      const { booking, sent } = desk([error, trade()]);
      expect((await booking.submit(terms)).kind).toBe("unknown");
      expect((await booking.submit(terms)).kind).toBe("booked");
      expect(sent.map((each) => each.client_trade_id)).toEqual(["id-1", "id-1"]);
    },
  );

  it("keeps its id for the call that confirms what it was asked", async () => {
    const complaint = { code: "off_mark", detail: "The price is 900% above the mark.", attr: "price" };
    const { booking, sent, tokens } = desk([new Refused(409, [complaint], "a token"), trade()]);
    const asked = await booking.submit(terms);
    expect(asked).toEqual({ kind: "asked", complaints: [complaint], confirm: "a token" });
    expect((await booking.submit(terms, "a token")).kind).toBe("booked");
    expect(sent.map((each) => each.client_trade_id)).toEqual(["id-1", "id-1"]);
    expect(tokens).toEqual([null, "a token"]);
  });

  it("takes a new id after a refusal, which booked nothing", async () => {
    const complaint = { code: "invalid", detail: "Unknown ticker.", attr: "ticker" };
    const { booking, sent } = desk([new Refused(400, [complaint]), trade()]);
    expect(await booking.submit(terms)).toEqual({ kind: "refused", complaints: [complaint] });
    await booking.submit(terms);
    expect(sent.map((each) => each.client_trade_id)).toEqual(["id-1", "id-2"]);
  });
});
