/** Times in files: without an offset they are the exchange's. */

const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?$/i;

const FORMAT = new Intl.DateTimeFormat("en-US", {
  timeZone: "America/New_York",
  timeZoneName: "longOffset",
});

/** New York's offset from UTC at a moment, in minutes: −300 or −240. */
function offsetAt(moment: number): number {
  const named = FORMAT.formatToParts(moment).find(({ type }) => type === "timeZoneName")?.value;
  const parts = /([+-])(\d{2}):(\d{2})/.exec(named ?? "");
  if (parts === null) return 0;
  const minutes = Number(parts[2]) * 60 + Number(parts[3]);
  return parts[1] === "-" ? -minutes : minutes;
}

/** The same moment with an offset, as the API wants it; null when it is no time. */
export function newYorkMoment(typed: string): string | null {
  const parts = PATTERN.exec(typed.trim());
  if (parts === null) return null;
  const [, y = "", mo = "", d = "", h = "", mi = "", s = "00", fraction = "", zone] = parts;
  const wall = Date.UTC(+y, +mo - 1, +d, +h, +mi, +s);
  // What the calendar does not have, such as 30 February, comes back as another day.
  if (new Date(wall).toISOString().slice(0, 16) !== `${y}-${mo}-${d}T${h}:${mi}`) return null;
  let offset = zone;
  if (offset === undefined) {
    const first = offsetAt(wall);
    const minutes = offsetAt(wall - first * 60_000);
    const size = Math.abs(minutes);
    const two = (value: number): string => String(value).padStart(2, "0");
    offset = `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  } else if (/^[+-]\d{4}$/.test(offset)) offset = `${offset.slice(0, 3)}:${offset.slice(3)}`;
  return `${y}-${mo}-${d}T${h}:${mi}:${s}${fraction}${offset.toUpperCase()}`;
}
