/** Which accounts are watched: all that the user may view, or some by code. */

import type { Account } from "./answers/desk";
import { keep, kept } from "./kept";

export type Selection = "all" | string[];

const NAME = "accounts";

export function loadSelection(): Selection {
  const stored = kept(NAME);
  return Array.isArray(stored) ? stored.filter((code) => typeof code === "string") : "all";
}

export function saveSelection(selection: Selection): void {
  keep(NAME, selection);
}

/** The codes to watch: what was chosen and is still there, in the order of the accounts. */
export function chosenCodes(selection: Selection, accounts: readonly Account[]): string[] {
  return accounts
    .map((account) => account.code)
    .filter((code) => selection === "all" || selection.includes(code));
}
