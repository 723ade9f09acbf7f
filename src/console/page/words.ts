// Numbers and times as people read them.

const separated = new Intl.NumberFormat("en-US");

/** A number with separators, such as `1,284,907`. */
export function number(value: number): string {
  return separated.format(Math.round(value));
}

/** A count with its noun, such as `1 event` or `2,000 events`. */
export function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A rate without its unit: `118`, `0.4`, `0`. */
export function rate(perSecond: number): string {
  if (perSecond === 0 || perSecond >= 9.95) return number(perSecond);
  return perSecond < 0.05 ? "<0.1" : perSecond.toFixed(1);
}

/** A duration in two or three figures, such as `0.4 ms`, `12 ms`, `1.04 s`, `7.6 s`, `3 min`, `5 h`, `2 days`. */
export function duration(ms: number): string {
  if (ms < 9.95) return `${trimmed(ms, 1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_995) return `${trimmed(ms / 1000, ms < 1995 ? 2 : 1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 48 * 3_600_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}

/** The time since then, such as `12 s ago`. */
export function ago(at: Date, now: number): string {
  const ms = now - at.getTime();
  return ms < 1500 ? "just now" : `${ms < 10_000 ? `${Math.round(ms / 1000)} s` : duration(ms)} ago`;
}

/** The time until then, such as `in 12 s`. */
export function until(at: Date, now: number): string {
  const ms = at.getTime() - now;
  return ms < 1500 ? "now" : `in ${duration(Math.max(2000, Math.round(ms / 1000) * 1000))}`;
}

/** The size of data, such as `1.1 kB` or `612 MB`. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const place = Math.min(units.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3));
  return `${trimmed(count / 1000 ** place, place > 0 && count / 1000 ** place < 10 ? 1 : 0)} ${units[place]}`;
}

/** The time of day with milliseconds, in this browser's time zone: `10:42:43.524`. */
export function clock(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** The time of day to the minute. */
export function minute(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Day and minute, such as `2 Nov, 09:12`. The minute alone for today. */
export function day(at: Date, now: number): string {
  const isToday = new Date(now).toDateString() === at.toDateString();
  const date = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return isToday ? minute(at) : `${date}, ${minute(at)}`;
}

/** Everything that is known of a time: `2026-11-29 10:42:51.204 +01:00`. */
export function fullTime(at: Date): string {
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(at)} ${zone}`;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, "0");
}

function trimmed(value: number, digits: number): string {
  return value
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}
