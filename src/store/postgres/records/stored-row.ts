import type { Resource } from "../../../schema/resource";
import type { Stored } from "../../stored";
import { newestVersionOf, upcastRecord } from "../../upcasting";

/** A row of a resource's table. Each query of records selects {@link recordColumns}. */
export interface StoredRow extends Stored {
  /** The version of the schema that the record is in. */
  readonly shape: number;
}

export const recordColumns = "id, version, shape, json";

/** The JSON of records as it is stored, of those that were converted. */
const converted = new WeakMap<Stored, string>();

/**
 * Returns a record in the newest shape that this program knows. While processes of an older version of the program run, they write
 * records in their shape. One in a newer shape is returned as it is.
 */
export function upToDate(resource: Resource, { id, version, shape, json }: StoredRow): Stored {
  if (shape >= newestVersionOf(resource)) return { id, version, json };
  const stored = upcastRecord(resource, { id, version, json }, shape);
  converted.set(stored, json);
  return stored;
}

/** Returns the JSON of a record as it is stored. */
export function storedJson(stored: Stored): string {
  return converted.get(stored) ?? stored.json;
}

/** Returns whether a record is stored in an older shape. */
export function isConverted(stored: Stored): boolean {
  return converted.has(stored);
}
