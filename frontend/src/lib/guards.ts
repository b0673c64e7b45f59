/** What guards measure and what kinds of limits there are, as people say them. */

/** What a guard measures, and in what. `unit` is empty where nothing is counted. */
export interface Measure {
  name: string;
  unit: string;
}

export const MEASURES = {
  off_mark: { name: "Off the mark", unit: "%" },
  large_quantity: { name: "Large quantity", unit: "shares" },
  large_notional: { name: "Large notional", unit: "$" },
  of_position: { name: "Against the position", unit: "× what is held" },
  probable_duplicate: { name: "Probable duplicate", unit: "the same before" },
  late: { name: "Late", unit: "sessions" },
  flips: { name: "Position flips", unit: "" },
  stale_mark: { name: "Stale mark", unit: "" },
  no_mark: { name: "No mark", unit: "" },
} as const satisfies Record<string, Measure>;

export type Code = keyof typeof MEASURES;

export const CODES = Object.keys(MEASURES) as Code[];

/** The measure of a code; one that this page does not know is called what it is. */
export function measure(code: string): Measure {
  return code in MEASURES ? MEASURES[code as Code] : { name: code, unit: "" };
}

/** Limits' kinds as people say them. */
const KINDS: Record<string, string> = {
  gross: "Gross",
  net: "Net",
  long: "Long",
  short: "Short",
  name: "Largest name",
  name_share: "Largest name, % of gross",
  position: "Largest position, shares",
  day_notional: "Notional of the day",
  day_loss: "Loss of the day",
};

export const kind = (code: string): string => KINDS[code] ?? code;
