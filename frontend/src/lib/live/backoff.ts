/**
 * How long to wait before the next attempt, in milliseconds; `attempt` counts from 0.
 *
 * It doubles from half a second to 15 seconds. The random half (`random` in [0, 1)) keeps many
 * pages from coming back in the same instant after a restart.
 */
export function delay(attempt: number, random: number): number {
  const full = Math.min(500 * 2 ** attempt, 15_000);
  return full / 2 + (full / 2) * random;
}
