/** Which accounts are watched: all that the user may view, or some by code. */

import type { Account } from "./types";

export type Selection = "all" | string[];

const KEY = "eqtrade.accounts";

export function loadSelection(storage: Storage = localStorage): Selection {
  try {
    const stored: unknown = JSON.parse(storage.getItem(KEY) ?? '"all"');
    if (Array.isArray(stored)) return stored.filter((code) => typeof code === "string");
  } catch {
    // Blocked or spoilt storage is no reason not to start.
  }
  return "all";
}

export function saveSelection(selection: Selection, storage: Storage = localStorage): void {
  try {
    storage.setItem(KEY, JSON.stringify(selection));
  } catch {
    // It is then remembered only until the page closes.
  }
}

/** The codes to watch: what was chosen and is still there, in the order of the accounts. */
export function chosenCodes(selection: Selection, accounts: readonly Account[]): string[] {
  return accounts
    .map((account) => account.code)
    .filter((code) => selection === "all" || selection.includes(code));
}
