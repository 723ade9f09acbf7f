const form = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

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
  return Number.isNaN(time.getTime()) ? undefined : time;
}
