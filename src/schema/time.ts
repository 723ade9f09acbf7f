import { Kind, type TUnsafe, Type, TypeRegistry } from "@sinclair/typebox";

const form = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Times in ISO 8601 sort correctly as text only within the years 0 to 9999. */
const [earliest, latest] = [Date.parse("0000-01-01T00:00:00.000Z"), Date.parse("9999-12-31T23:59:59.999Z")];

/**
 * Parses a date (`2026-11-01`, which is the start of the day) or a time (`2026-11-01T08:00:00Z`, `2026-11-01 08:00`). Returns
 * undefined for anything else, including dates that do not exist, such as 30 February.
 *
 * @param zone time zone of a text without one.
 */
export function parseTime(text: string, zone: "utc" | "local"): Date | undefined {
  const [match, year = "", month = "", day = "", hour = "00", minute = "00", second = "00", fraction = "", offset] =
    form.exec(text.trim()) ?? [];
  if (!match) return undefined;
  if (!isDay(year, month, day)) return undefined;
  const suffix = offset ?? (zone === "utc" ? "Z" : "");
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, "0")}${suffix.toUpperCase()}`);
  return isTime(time) ? time : undefined;
}

/** Returns whether a date is valid and within the years 0 to 9999, so that it can be compared as text. */
export function isTime(date: Date): boolean {
  return date.getTime() >= earliest && date.getTime() <= latest;
}

const utcForm = /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,20})?(?:Z|[+-]00:00)$/i;

/** Returns whether a text is a time in RFC 3339 and UTC. Rejects leap seconds, which a `Date` cannot represent. */
export function isUtcTime(text: string): boolean {
  const [match, year = "", month = "", day = ""] = utcForm.exec(text) ?? [];
  return match !== undefined && isDay(year, month, day);
}

/** Returns the value if it is a time in UTC (see {@link isUtcTime}), or null. */
export function utcTimeIn(value: unknown): string | null {
  return typeof value === "string" && isUtcTime(value) ? value : null;
}

/** Returns whether a day exists. Not every JavaScript engine rejects days that a month does not have. */
function isDay(year: string, month: string, day: string): boolean {
  return new Date(`${year}-${month}-${day}T00:00:00Z`).getUTCDate() === Number(day);
}

const kind = "UtcTime";

/** Returns the schema of a time in UTC (see {@link isUtcTime}). */
export function UtcTime(description: string): TUnsafe<string> {
  return Type.Unsafe<string>({
    [Kind]: kind,
    type: "string",
    format: "date-time",
    description: `${description} RFC 3339 in UTC, such as 2026-02-18T18:23:45.123Z.`,
  });
}

TypeRegistry.Set(kind, (_, value) => typeof value === "string" && isUtcTime(value));
