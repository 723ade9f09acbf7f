// Amounts in the words of people.

export function number(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** Formats a count with its noun, such as `1 event` or `2,000 events`. */
export function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? "" : "s"}`;
}

const units = [
  ["day", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** Formats a duration roughly, such as `12 s`, `3 min`, `5 h` or `2 days`. */
export function duration(ms: number): string {
  const [unit, size] = units.find(([, size]) => ms >= size * 2 || (size > 1000 && ms >= size * 1.5)) ?? ["s", 1000];
  const count = Math.max(0, Math.round(ms / size));
  return unit === "day" ? counted(count, unit) : `${count} ${unit}`;
}

/** Formats the time since then, such as `3 min ago`; an empty string if there is no time. */
export function ago(time: string | null, now: number): string {
  const at = time === null ? Number.NaN : Date.parse(time);
  if (Number.isNaN(at)) return "";
  return now - at < 1000 ? "just now" : `${duration(now - at)} ago`;
}
