import { parseTime } from "../schema/time";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The three forms of an HTTP date (RFC 9110, section 5.6.7). */
const dateForms = [
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/,
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/,
];

/**
 * Reads a `Retry-After` (RFC 9110, section 10.2.3): seconds, or an HTTP date in any of its three forms.
 *
 * @returns the delay in milliseconds from `now`, 0 for a time in the past, or undefined if the value is not valid.
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const time = httpDate(text, now);
  return time && Math.max(0, time.getTime() - now);
}

function httpDate(text: string, now: number): Date | undefined {
  const { day = "", month = "", year = "", time } = dateForms.map((form) => form.exec(text)?.groups).find(Boolean) ?? {};
  const index = months.indexOf(month);
  if (index < 0) return undefined;
  const dateIn = (fullYear: number) => parseTime(`${fullYear}-${two(index + 1)}-${two(Number(day))}T${time}Z`, "utc");
  if (year.length === 4) return dateIn(Number(year));
  // A year of two digits means the latest such year that is at most 50 years ahead (RFC 9110, section 5.6.7).
  const latest = new Date(now);
  latest.setUTCFullYear(latest.getUTCFullYear() + 50);
  const century = Math.floor(latest.getUTCFullYear() / 100) * 100;
  return [century, century - 100].map((start) => dateIn(start + Number(year))).find((date) => date && date <= latest);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
