/**
 * Reads a `Retry-After` (RFC 9110, section 10.2.3): seconds, or an HTTP date in any of its three forms.
 *
 * @returns milliseconds from `now`, 0 for a time that is past; undefined for what is neither.
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  // The oldest form, asctime, is in GMT without saying so.
  const time = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}
