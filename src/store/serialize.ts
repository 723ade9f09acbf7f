import type { Mistake } from "../schema/mistakes";
import { InvalidChange } from "../schema/refused-change";
import type { Resource } from "../schema/resource";
import { mistakesInWritten } from "../schema/written";
import type { Stored } from "./stored";

/**
 * Serializes a record once: the table, the event and the response contain the same JSON. Every write of a record uses this
 * function.
 *
 * @throws {InvalidChange} if the fields do not match the schema, or JSON cannot represent them exactly.
 */
export function serialize(resource: Resource, id: number, fields: object, version: number, createdAt: string, updatedAt: string): Stored {
  const record: Record<string, unknown> = { id };
  for (const name of Object.keys(resource.fields.properties)) {
    const value = (fields as Record<string, unknown>)[name];
    if (value !== undefined) record[name] = value;
  }
  const mistakes = mistakesInWritten(resource.fields, record);
  if (mistakes.length > 0) throw notValid(resource, mistakes);
  record["version"] = version;
  record["createdAt"] = createdAt;
  record["updatedAt"] = updatedAt;
  return { id, version, json: JSON.stringify(record) };
}

/** Returns the error for fields that do not match the schema. */
export function notValid({ name }: Resource, mistakes: readonly Mistake[]): InvalidChange {
  return new InvalidChange(`The ${name} would not be valid.`, mistakes);
}

/** Returns whether two states of a record have the same fields. The order of keys does not matter. */
export function hasSameFields(before: Stored, after: Stored): boolean {
  const [old, now] = [fieldsText(before), fieldsText(after)];
  return old === now || (old.length === now.length && Bun.deepEquals(JSON.parse(old), JSON.parse(now)));
}

function fieldsText({ json }: Stored): string {
  return `${json.slice(0, json.lastIndexOf(',"version":'))}}`;
}
