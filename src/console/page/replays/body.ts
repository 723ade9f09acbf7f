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

function numberIn(text: string): number | string {
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}
