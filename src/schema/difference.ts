/** A value that differs between two states of a record. */
export interface Difference {
  /** Path of the value: `price`, `address.city`, `lines[0].quantity`. */
  readonly field: string;
  /** The value before. Missing if the field is new. */
  readonly from?: unknown;
  /** The value after. Missing if the field was removed. */
  readonly to?: unknown;
}

/** Fields set by the service, which are not compared. */
const ownFields = new Set(["id", "version", "createdAt", "updatedAt"]);

/** Maximum depth of compared parts. Deeper values are compared as a whole, so that nested records cannot overflow the stack. */
const deepest = 4;

/**
 * Returns the values that differ between two states of a record, without the fields set by the service (`id`, `version`,
 * `createdAt`, `updatedAt`). Values more than four levels deep are compared as a whole.
 *
 * @param before the earlier state, or undefined if the record was created: all fields are then new.
 * @param after the later state, or undefined if the record was deleted: all fields are then removed.
 */
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
