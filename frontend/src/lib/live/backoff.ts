/** The server restarts, or is full: all of its pages would come back in the same moment. */
const EVERYBODY = [1012, 1013];
const SPREAD = 3_000;

/**
 * How long to wait before the next attempt, in milliseconds; `attempt` counts from 0.
 *
 * It grows from half a second to 3 seconds: a killed server is back within seconds, and a page that
 * waits longer than that is a page without prices. The random half (`random` in [0, 1)) keeps many
 * pages from coming back in the same instant; when the connection was closed with one of `EVERYBODY`,
 * all of it is random.
 */
export function delay(attempt: number, random: number, code?: number): number {
  if (code !== undefined && EVERYBODY.includes(code)) return random * SPREAD * (attempt + 1);
  const full = Math.min(500 * 1.5 ** attempt, 3_000);
  return full / 2 + (full / 2) * random;
}
