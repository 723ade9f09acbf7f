import type { Resource } from "../../../schema/resource";
import type { Stored } from "../../stored";
import { newestVersionOf, upcastRecord } from "../../upcasting";

/** A row of a resource's table. Each query of records selects {@link recordColumns}. */
export interface StoredRow extends Stored {
  /** The version of the schema that the record is in. */
  readonly shape: number;
}

export const recordColumns = "id, version, shape, json";

/** The rows of records that were converted. */
const converted = new WeakMap<Stored, StoredRow>();

/**
 * Returns a record in the newest shape that this program knows. While processes of an older version of the program run, they write
 * records in their shape. One in a newer shape is returned as it is.
 */
export function upToDate(resource: Resource, row: StoredRow): Stored {
  const { id, version, shape, json } = row;
  if (shape >= newestVersionOf(resource)) return { id, version, json };
  const stored = upcastRecord(resource, { id, version, json }, shape);
  converted.set(stored, row);
  return stored;
}

/** Returns the JSON of a record as it is stored. */
export function storedJson(stored: Stored): string {
  return converted.get(stored)?.json ?? stored.json;
}

/** Returns the older shape in which a record is stored, or undefined if it was not converted. */
export function olderShapeOf(stored: Stored): number | undefined {
  return converted.get(stored)?.shape;
}
