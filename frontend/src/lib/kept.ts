/**
 * What a user's browser keeps for them, each under their own name: the next user of the same
 * browser finds nothing of it.
 */

let owner = "";

/** Called once, before anything is read. */
export function keepFor(user: string): void {
  owner = user;
}

const key = (name: string): string => `eqtrade.${owner}.${name}`;

/** Null where nothing is kept, or where what is kept is spoilt or blocked. */
export function kept(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key(name)) ?? "null");
  } catch {
    return null;
  }
}

export function keep(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(key(name));
    else localStorage.setItem(key(name), JSON.stringify(value));
  } catch {
    // It then lasts until the page closes.
  }
}
