import { convert } from "../schema/convert";
import { type EventType, eventTypesOf, newestVersion } from "../schema/event-type";
import type { PastVersion } from "../schema/past-version";
import type { Recorded } from "../schema/record";
import type { Resource } from "../schema/resource";
import { serialize } from "./serialize";
import type { Stored } from "./stored";

/** Returns the newest version of the schema of a resource's records. */
export function newestVersionOf(resource: Resource): number {
  return pastRecordsOf(resource).length + 1;
}

function pastRecordsOf({ past }: Resource): PastVersion[] {
  return past.filter(({ event }) => event === undefined);
}

/**
 * Returns a record in the newest version of its schema. It keeps its version and times.
 *
 * @param version the version of the schema that the record is in.
 * @throws {Error} if an upcaster fails. The message names the record.
 */
export function upcastRecord(resource: Resource, { id, version: changes, json }: Stored, version: number): Stored {
  const type = asEvents(resource);
  const { name } = resource;
  try {
    const upcast = convert(type, { version, [name]: JSON.parse(json) as unknown }, newestVersion(type));
    const record = upcast[name] as Recorded<object>;
    return serialize(resource, id, record, changes, record.createdAt, record.updatedAt);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${name} ${id} cannot be converted to the newest schema; nothing was changed. ${why}`, { cause: error });
  }
}

/** Event types by resource, since each is compiled once to check what it converts. */
const known = new WeakMap<Resource, EventType>();

/** Returns an event type whose versions are those of the resource's record, so that events and records share one conversion. */
function asEvents(resource: Resource): EventType {
  const type = known.get(resource) ?? (eventTypesOf({ ...resource, past: pastRecordsOf(resource) })[0] as EventType);
  known.set(resource, type);
  return type;
}
