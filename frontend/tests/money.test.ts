import { describe, expect, it } from "vitest";

import * as money from "../src/lib/money";

describe("money", () => {
  it.each([
    ["7424.4", "7,424.40"],
    ["-112.000000", "−112.00"],
    ["1234567.895", "1,234,567.90"],
    ["0.005", "0.01"],
    ["0.0049999", "0.00"],
    ["-0.005", "−0.01"],
    ["-0.004", "0.00"],
    ["999.995", "1,000.00"],
    ["5", "5.00"],
    // Past what a double can hold: 2^53 + 1 cents and a half.
    ["90071992547409.935", "90,071,992,547,409.94"],
  ])("shows %s as %s", (value, shown) => expect(money.money(value)).toBe(shown));

  it.each([
    ["13333.000000", "+13,333.00"],
    ["-0.01", "−0.01"],
    ["0.000000", "0.00"],
    ["0.004", "0.00"],
    ["-0.004", "0.00"],
  ])("signs %s as %s", (value, shown) => expect(money.signedMoney(value)).toBe(shown));
});

describe("quantity and price", () => {
  it.each([
    ["40.000000", "40"],
    ["-1500", "−1,500"],
    ["0.125000", "0.125"],
    ["1000000000", "1,000,000,000"],
    ["-0.000000", "0"],
  ])("quantity %s is %s", (value, shown) => expect(money.quantity(value)).toBe(shown));

  it.each([
    ["192.810000", "192.81"],
    ["10", "10.00"],
    ["0.4325", "0.4325"],
    ["1043.5", "1,043.50"],
  ])("price %s is %s", (value, shown) => expect(money.price(value)).toBe(shown));

  it.each([
    ["3.3333333333", "3.333333…"],
    ["105.3333333333", "105.3333…"],
    ["105.333333", "105.333333"],
    ["-1234567.0000000001", "−1,234,567.00…"],
    ["70.123456", "70.123456"],
    ["70.1234560000", "70.123456"],
    ["0.0000000001", "<0.000001"],
    ["-0.0000009999", ">−0.000001"],
    ["0.0000010000", "0.000001"],
    ["0.0000123456", "0.000012…"],
    ["0.02804920", "0.028049…"],
    ["100.0000000000", "100"],
    ["0", "0"],
  ])("quantity %s is %s in a list", (value, shown) => {
    expect(money.briefQuantity(value)).toBe(shown);
    expect(money.isBrief(shown)).toBe(shown !== money.quantity(value));
  });

  it.each([
    ["70.1234567890", "70.12345…"],
    ["1000000000", "1,000,000,000.00"],
    ["0", "0.00"],
  ])("price %s is %s in a list", (value, shown) => expect(money.briefPrice(value)).toBe(shown));

  it.each([
    ["33.33333333333333", "33.3333"],
    ["0.03333333333333", "0.0333"],
    ["0.00000033333333", "0.00000033"],
    ["0.00000000000000", "0.00"],
  ])("average %s is %s", (value, shown) => expect(money.shortPrice(value)).toBe(shown));

  it("prefills a price without separators", () =>
    expect(money.plainPrice("1043.500000")).toBe("1043.50"));
});

describe("sum", () => {
  it("is exact where floats are not", () => expect(money.sum(["0.1", "0.2"])).toBe("0.3"));
  it("mixes scales and signs", () => expect(money.sum(["-1.5", "0.25", "1"])).toBe("-0.25"));
  it("keeps a leading zero", () => expect(money.sum(["0.01", "-0.02"])).toBe("-0.01"));
  it("of nothing is zero", () => expect(money.sum([])).toBe("0"));
  it("rounds nothing before the total", () => {
    // Each rounds to 0.00; together they are a cent.
    expect(money.money(money.sum(["0.004", "0.004"]))).toBe("0.01");
  });
  it("of the worked example is its total", () =>
    expect(money.sum(["7424.40", "-112.00", "13333.00", "74.00"])).toBe("20719.40"));
});

describe("compareDecimals", () => {
  const sorted = (values: (string | null)[], descending: boolean): (string | null)[] =>
    [...values].sort(
      (left, right) => money.compareDecimals(left, right, descending) * (descending ? -1 : 1),
    );

  it("orders by value, not by text", () =>
    expect(sorted(["10", "9.5", "-3"], false)).toEqual(["-3", "9.5", "10"]));
  it("keeps unknown figures last in both directions", () => {
    expect(sorted([null, "1", "2"], false)).toEqual(["1", "2", null]);
    expect(sorted([null, "1", "2"], true)).toEqual(["2", "1", null]);
  });
});

describe("parseTyped", () => {
  it.each([
    ["100", "100"],
    [" 1,500.25 ", "1500.25"],
    [".5", "0.5"],
    ["10k", "10000"],
    ["1.5m", "1500000"],
    ["$1 000.50", "1000.50"],
  ])("takes %s as %s", (typed, plain) => expect(money.parseTyped(typed)).toBe(plain));

  it.each(["", "1,5", "1e3", "-5", "ten", "1.", "1 00", "k", "10kk", "NaN"])("refuses %j", (typed) =>
    expect(money.parseTyped(typed)).toBeNull(),
  );
});

describe("figures in a column", () => {
  it("have room for as many decimals as their neighbours, so that points stand in one line", () => {
    const [digit, point] = ["\u2007", "\u2008"];
    expect(money.aligned("1.5", 3)).toBe(`1.5${digit}${digit}`);
    expect(money.aligned("12", 2)).toBe(`12${point}${digit}${digit}`);
    expect(money.aligned("1.25", 2)).toBe("1.25");
    expect(money.aligned("1.2345", 2)).toBe("1.2345");
  });
});
