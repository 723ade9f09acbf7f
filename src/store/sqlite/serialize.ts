import { type TObject, Type } from "@sinclair/typebox";
import type { Resource } from "../../schema/resource";
import { InvalidChange, mistakesInWritten } from "../../schema/written";
import type { Stored } from "../stored";

/**
 * Serializes a record once: these bytes are the row, the part of the event and the answer. Every way to write a record goes
 * through here.
 *
 * @throws {InvalidChange} for fields that the schema refuses, or that JSON would not keep as they are.
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

/** What a change makes is an object at once, which its type says, but JavaScript does not. */
function refuseOther({ name }: Resource, fields: unknown): void {
  // Nobody else will look at how it ends.
  if (fields instanceof Promise) fields.catch(() => {});
  else if (typeof fields === "object" && fields !== null) return;
  throw new TypeError(`The fields of the ${name} have to be an object; a change must not be async, and has to return them.`);
}

const open = new WeakMap<Resource, TObject>();

/** The schema of the fields in a record that also has what the service fills in. */
function openFields(resource: Resource): TObject {
  let schema = open.get(resource);
  if (!schema) {
    schema = Type.Object(resource.fields.properties, { additionalProperties: true });
    open.set(resource, schema);
  }
  return schema;
}

/** Whether two states of a record have the same fields. The order of keys makes no difference. */
export function hasSameFields(before: Stored, after: Stored): boolean {
  const [old, now] = [fieldsText(before), fieldsText(after)];
  return old === now || (old.length === now.length && Bun.deepEquals(JSON.parse(old), JSON.parse(now)));
}

function fieldsText({ json }: Stored): string {
  return `${json.slice(0, json.lastIndexOf(',"version":'))}}`;
}
