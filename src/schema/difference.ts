import { pointerPart } from "./mistakes";

/** A value that differs between two states of a record. */
export interface Difference {
  /** Path of the value: `price`, `address.city`, `lines[0].quantity`. */
  readonly field: string;
  /** The value before. Missing if the field is new. */
  readonly from?: unknown;
  /** The value after. Missing if the field was removed. */
  readonly to?: unknown;
}

/** The same, with the place of the value as a JSON pointer (RFC 6901): `/lines/0/quantity`. */
export interface PlacedDifference extends Omit<Difference, "field"> {
  readonly pointer: string;
}

type Path = readonly (string | number)[];

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
  const named = ([first, ...rest]: Path) => rest.reduce<string>(withPart, String(first));
  return compare(before, after).map(({ path, ...values }) => ({ field: named(path), ...values }));
}

function withPart(text: string, part: string | number): string {
  return typeof part === "number" ? `${text}[${part}]` : `${text}.${part}`;
}

/** Returns {@link differences} with JSON pointers. */
export function placedDifferences(before: object | undefined, after: object | undefined): PlacedDifference[] {
  return compare(before, after).map(({ path, ...values }) => ({ pointer: pointerTo(path), ...values }));
}

function pointerTo(path: Path): string {
  return path.map((part) => `/${pointerPart(part)}`).join("");
}

function compare(before: object | undefined, after: object | undefined): (Omit<Difference, "field"> & { readonly path: Path })[] {
  const from = valuesOf(before ?? {});
  const to = valuesOf(after ?? {});
  return [...new Map([...from, ...to])].flatMap(([pointer, { path }]) => {
    const [old, now] = [from.get(pointer), to.get(pointer)];
    if (JSON.stringify(old?.value) === JSON.stringify(now?.value)) return [];
    return [{ path, ...(old && { from: old.value }), ...(now && { to: now.value }) }];
  });
}

/** Returns the values of a record that have no parts, by their JSON pointers. */
function valuesOf(record: object): Map<string, { readonly path: Path; readonly value: unknown }> {
  const values = new Map<string, { path: Path; value: unknown }>();
  const add = (path: Path, value: unknown) => {
    const parts = typeof value === "object" && value !== null && path.length < deepest ? Object.entries(value) : [];
    if (parts.length === 0) values.set(pointerTo(path), { path, value });
    for (const [key, part] of parts) add([...path, Array.isArray(value) ? Number(key) : key], part);
  };
  for (const [name, value] of Object.entries(record)) if (!ownFields.has(name)) add([name], value);
  return values;
}
