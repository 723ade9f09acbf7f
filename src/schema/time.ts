import { Kind, type TUnsafe, Type, TypeRegistry } from "@sinclair/typebox";

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
  const [match, year = "", month = "", day = "", hour = "00", minute = "00", second = "00", fraction = "", offset] =
    form.exec(text.trim()) ?? [];
  if (!match) return undefined;
  if (!isDay(year, month, day)) return undefined;
  const suffix = offset ?? (zone === "utc" ? "Z" : "");
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, "0")}${suffix.toUpperCase()}`);
  return isTime(time) ? time : undefined;
}

/** Returns whether a date is one, and can be written and compared as text. */
export function isTime(date: Date): boolean {
  return date.getTime() >= earliest && date.getTime() <= latest;
}

const utcForm = /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,20})?(?:Z|[+-]00:00)$/i;

/** Returns whether a text is a time as programs write it to each other: RFC 3339, in UTC. A leap second is not: no `Date` holds one. */
export function isUtcTime(text: string): boolean {
  const [match, year = "", month = "", day = ""] = utcForm.exec(text) ?? [];
  return match !== undefined && isDay(year, month, day);
}

/** The text if it is a time in UTC, see {@link isUtcTime}; else null. */
export function utcTimeIn(value: unknown): string | null {
  return typeof value === "string" && isUtcTime(value) ? value : null;
}

/** Not every engine refuses a day that its month does not have. */
function isDay(year: string, month: string, day: string): boolean {
  return new Date(`${year}-${month}-${day}T00:00:00Z`).getUTCDate() === Number(day);
}

const kind = "UtcTime";

/** The schema of a time that a program has written, see {@link isUtcTime}. */
export function UtcTime(description: string): TUnsafe<string> {
  return Type.Unsafe<string>({
    [Kind]: kind,
    type: "string",
    format: "date-time",
    description: `${description} RFC 3339 in UTC, such as 2026-02-18T18:23:45.123Z.`,
  });
}

TypeRegistry.Set(kind, (_, value) => typeof value === "string" && isUtcTime(value));
