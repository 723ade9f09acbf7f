import { withoutPrivate } from "../schema/private";
import type { Resource } from "../schema/resource";
import type { Stored } from "./stored";

/** Returns a record without its private fields, as events and responses have it. */
export function shown<S extends Pick<Stored, "json">>(resource: Pick<Resource, "private">, stored: S): S {
  if (resource.private.length === 0) return stored;
  return { ...stored, json: JSON.stringify(withoutPrivate(resource, JSON.parse(stored.json) as object)) };
}
