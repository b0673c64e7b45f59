/**
 * How long to wait before the next attempt, in milliseconds; `attempt` counts from 0.
 *
 * It grows from half a second to 3 seconds: a killed server is back within seconds, and a page that
 * waits longer than that is a page without prices. The random half (`random` in [0, 1)) keeps many
 * pages from coming back in the same instant.
 */
export function delay(attempt: number, random: number): number {
  const full = Math.min(500 * 1.5 ** attempt, 3_000);
  return full / 2 + (full / 2) * random;
}
