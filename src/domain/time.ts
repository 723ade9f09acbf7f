const form = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** As texts, times are in their order only within the years 0 to 9999. */
const [earliest, latest] = [Date.parse("0000-01-01T00:00:00.000Z"), Date.parse("9999-12-31T23:59:59.999Z")];

/**
 * Reads a day (`2026-11-01`, its beginning) or a time (`2026-11-01T08:00:00Z`, `2026-11-01 08:00`). Undefined for
 * anything else, the 30th of February included.
 *
 * @param zone of a text that names none.
 */
export function parseTime(text: string, zone: "utc" | "local"): Date | undefined {
  const [match, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", offset] = form.exec(text.trim()) ?? [];
  if (!match) return undefined;
  // Not every engine refuses a day that its month does not have.
  if (new Date(`${year}-${month}-${day}T00:00:00Z`).getUTCDate() !== Number(day)) return undefined;
  const suffix = offset ?? (zone === "utc" ? "Z" : "");
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, "0")}${suffix.toUpperCase()}`);
  return time.getTime() >= earliest && time.getTime() <= latest ? time : undefined;
}
