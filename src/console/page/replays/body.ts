/** The texts in the form. */
export interface Fields {
  readonly queue: string;
  /** Separated by commas. Empty for all. */
  readonly events: string;
  readonly id: string;
  /** A local time without an offset, as a browser's field has it. */
  readonly from: string;
  readonly to: string;
  readonly rate: string;
  readonly force: boolean;
}

/** Returns the body of a request for a replay. What is not a number stays text, so that the API says what it expects. */
export function bodyOf({ queue, events, id, from, to, rate, force }: Fields): Record<string, unknown> {
  const types = events
    .split(",")
    .map((type) => type.trim())
    .filter(Boolean);
  return {
    queue,
    ...(types.length > 0 && { events: types }),
    ...(id.trim() && { id: numberIn(id) }),
    ...(from && { from: new Date(from).toISOString() }),
    ...(to && { to: new Date(to).toISOString() }),
    ...(rate.trim() && { rate: numberIn(rate) }),
    ...(force && { force }),
  };
}

/** Returns a time as a browser's field for a local time has it, to the second before it. Empty if it is none. */
export function localTime(time: string | null): string {
  const at = new Date(time ?? "");
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function numberIn(text: string): number | string {
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}
