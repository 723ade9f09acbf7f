import type { Resource } from "../../schema/resource";
import type { Stored } from "../stored";

/** Serializes a record once: these bytes are the row, the part of the event and the answer. */
export function serialize(resource: Resource, id: number, fields: object, version: number, createdAt: string, updatedAt: string): Stored {
  const record: Record<string, unknown> = { id };
  for (const name of Object.keys(resource.fields.properties)) record[name] = (fields as Record<string, unknown>)[name];
  record["version"] = version;
  record["createdAt"] = createdAt;
  record["updatedAt"] = updatedAt;
  return { id, version, json: JSON.stringify(record) };
}
