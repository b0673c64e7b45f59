import { expect, it } from "vitest";

import { addressKept } from "../src/lib/savedViews";

it("keeps of the address what is no moment", () => {
  const search = "?group=ticker&positions.text=KO+%26+PEP&as_of=2026-03-18&known_at=x&compare=now&view=1";
  expect(addressKept(search)).toEqual({ group: "ticker", "positions.text": "KO & PEP" });
  expect(addressKept("")).toEqual({});
});
