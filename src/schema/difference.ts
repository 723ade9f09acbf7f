/** A value that is not the same in two states of a record. */
export interface Difference {
  /** Its place: `price`, `address.city`, `lines[0].quantity`. */
  readonly field: string;
  /** Not there: the field is new. */
  readonly from?: unknown;
  /** Not there: the field is gone. */
  readonly to?: unknown;
}

/** Filled in by the service; changed by every event. */
const ownFields = new Set(["id", "version", "createdAt", "updatedAt"]);

/** Deeper values are compared whole, so that no record, however nested, uses up the stack. */
const deepest = 4;

/** What a client changed between two states of a record; a record that is not there has none. */
export function differences(before: object | undefined, after: object | undefined): Difference[] {
  const from = valuesOf(before ?? {});
  const to = valuesOf(after ?? {});
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((field) => JSON.stringify(from.get(field)) !== JSON.stringify(to.get(field)))
    .map((field) => ({ field, ...(from.has(field) && { from: from.get(field) }), ...(to.has(field) && { to: to.get(field) }) }));
}

function valuesOf(record: object): Map<string, unknown> {
  const values = new Map<string, unknown>();
  const add = (field: string, value: unknown, depth: number) => {
    const parts = typeof value === "object" && value !== null && depth < deepest ? Object.entries(value) : [];
    if (parts.length === 0) values.set(field, value);
    for (const [key, part] of parts) add(Array.isArray(value) ? `${field}[${key}]` : `${field}.${key}`, part, depth + 1);
  };
  for (const [name, value] of Object.entries(record)) if (!ownFields.has(name)) add(name, value, 1);
  return values;
}
