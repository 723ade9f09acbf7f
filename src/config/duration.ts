/** A duration: milliseconds, or a text such as "45s", "30m", "2h", "3d" or "1w". */
export type Duration = number | string;

const msPerUnit: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Returns the milliseconds of a text such as "30m". Returns undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^([1-9]\d{0,5})([smhdw])$/.exec(text) ?? [];
  return count && unit ? Number(count) * (msPerUnit[unit] ?? 0) : undefined;
}

/**
 * Returns a duration in milliseconds.
 *
 * @throws {TypeError} if it is no duration, or negative.
 */
export function durationMs(duration: Duration): number {
  const ms = typeof duration === "string" ? parseDuration(duration) : duration;
  if (typeof ms === "number" && ms >= 0 && Number.isFinite(ms)) return ms;
  throw new TypeError(`${JSON.stringify(duration)} is no duration. Use milliseconds, or a text such as "45s", "30m", "2h", "3d" or "1w".`);
}
