/** What of a page's view stands in its address, so that a reload, or a link, shows the same. */

export function inAddress(name: string): string | null {
  return new URLSearchParams(location.search).get(name);
}

/** Null or empty takes it out. Going back does not undo it: it is no other page. */
export function putInAddress(name: string, value: string | null): void {
  const query = new URLSearchParams(location.search);
  if (value === null || value === "") query.delete(name);
  else query.set(name, value);
  const text = query.toString();
  const to = `${location.pathname}${text === "" ? "" : `?${text}`}${location.hash}`;
  if (to !== `${location.pathname}${location.search}${location.hash}`) history.replaceState(null, "", to);
}

/** A day; empty where none stands there. */
export function dayInAddress(name: string): string {
  return /^\d{4}-\d\d-\d\d$/.exec(inAddress(name) ?? "")?.[0] ?? "";
}

/** One of a few words; another one in the address counts as the first. */
export function oneInAddress<Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word {
  const found = inAddress(name);
  return words.find((word) => word === found) ?? words[0];
}
