import { type TObject, Type } from "@sinclair/typebox";
import type { Resource } from "../../schema/resource";
import { InvalidChange, mistakesInWritten } from "../../schema/written";
import type { Stored } from "../stored";

/**
 * Serializes a record once: the table, the event and the response contain the same JSON. Every write of a record uses this
 * function.
 *
 * @throws {InvalidChange} if the fields do not match the schema, or JSON cannot represent them exactly.
 * @throws {TypeError} if the fields are not an object.
 */
export function serialize(resource: Resource, id: number, fields: object, version: number, createdAt: string, updatedAt: string): Stored {
  refuseOther(resource, fields);
  const record: Record<string, unknown> = { id };
  for (const name of Object.keys(resource.fields.properties)) {
    const value = (fields as Record<string, unknown>)[name];
    if (value !== undefined) record[name] = value;
  }
  const mistakes = mistakesInWritten(openFields(resource), record);
  if (mistakes.length > 0) throw new InvalidChange(`The ${resource.name} would not be valid.`, mistakes);
  record["version"] = version;
  record["createdAt"] = createdAt;
  record["updatedAt"] = updatedAt;
  return { id, version, json: JSON.stringify(record) };
}

/** Throws if a change returned a promise or anything else that is not an object. JavaScript callers are not type-checked. */
function refuseOther({ name }: Resource, fields: unknown): void {
  // Prevent an unhandled rejection.
  if (fields instanceof Promise) fields.catch(() => {});
  else if (typeof fields === "object" && fields !== null) return;
  throw new TypeError(`The fields of the ${name} must be an object; a change must return them and must not be async.`);
}

const open = new WeakMap<Resource, TObject>();

/** Returns a schema that checks the resource's fields and ignores other properties of the record. */
function openFields(resource: Resource): TObject {
  let schema = open.get(resource);
  if (!schema) {
    schema = Type.Object(resource.fields.properties, { additionalProperties: true });
    open.set(resource, schema);
  }
  return schema;
}

/** Returns whether two states of a record have the same fields. The order of keys does not matter. */
export function hasSameFields(before: Stored, after: Stored): boolean {
  const [old, now] = [fieldsText(before), fieldsText(after)];
  return old === now || (old.length === now.length && Bun.deepEquals(JSON.parse(old), JSON.parse(now)));
}

function fieldsText({ json }: Stored): string {
  return `${json.slice(0, json.lastIndexOf(',"version":'))}}`;
}
