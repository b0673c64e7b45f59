/** How many trades one request group holds. */

const MOST = 10_000;

/** What to say of a text that is no such number. */
export const GROUP_SIZE = `A whole number from 1 to ${MOST.toLocaleString("en-GB")}.`;

export function groupSizeOf(typed: string): number | null {
  const each = Number(typed);
  return Number.isInteger(each) && each >= 1 && each <= MOST ? each : null;
}
