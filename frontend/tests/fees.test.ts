import { describe, expect, it } from "vitest";

import { changedFees, feesComplaint, feesTotal, noFees, saidFees, type TypedFees, typedFees } from "../src/lib/fees";

const typed = (changed: Partial<TypedFees>): TypedFees => ({ ...noFees(), ...changed });

describe("fees", () => {
  it("are said as typed, a rebate with its sign, and nothing where nothing is typed", () => {
    expect(saidFees(noFees())).toEqual([]);
    expect(saidFees(typed({ tax: " −0.20 ", commission: "1,250.5", other: "-3" }))).toEqual([
      { kind: "commission", amount: "1250.5" },
      { kind: "tax", amount: "-0.20" },
      { kind: "other", amount: "-3" },
    ]);
    expect(typedFees([{ kind: "tax", amount: "-0.200000" }])).toEqual(typed({ tax: "-0.2" }));
  });

  it.each([
    ["4.50", null],
    ["-0.000001", null],
    ["0.0000010", null],
    ["0.0000001", "Tax: at most 6 decimals."],
    ["five", "Tax: an amount like 4.50, or −0.20 for a rebate."],
    ["--5", "Tax: an amount like 4.50, or −0.20 for a rebate."],
  ])("%s is judged before it is sent", (said, complaint) => {
    expect(feesComplaint(typed({ tax: said }))).toBe(complaint);
  });

  it("add up exactly, and differ by value", () => {
    const before = [
      { kind: "commission", amount: "5.00" },
      { kind: "tax", amount: "0.1" },
    ];
    expect(feesTotal([...before, { kind: "other", amount: "-0.000001" }])).toBe("5.099999");
    expect(feesTotal([])).toBe("0");
    expect(changedFees(before, [{ kind: "tax", amount: "0.10" }, { kind: "other", amount: "1" }])).toEqual([
      { label: "Commission", was: "5.00", is: null },
      { label: "Other", was: null, is: "1" },
    ]);
  });
});
