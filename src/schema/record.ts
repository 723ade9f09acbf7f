import { type TObject, type TProperties, Type } from "@sinclair/typebox";
import { UtcTime } from "./time";

/** Fields set by the service. A record's own fields come between `id` and `version`. */
const identity = { id: Type.Integer({ minimum: 1 }) };
const history = {
  version: Type.Integer({ minimum: 1, description: "Number of the record's current state: 1 when created, plus 1 for each change." }),
  createdAt: UtcTime("Time when the record was created."),
  updatedAt: UtcTime("Time of the last change to the record."),
};

/** Returns the schema of the whole record with these fields. */
export function recordOf(fields: TProperties): TObject {
  // Explicitly true, since a newer program may send more. If it is missing, Elysia sets it to false on this object.
  return Type.Object<TProperties>({ ...identity, ...fields, ...history }, { additionalProperties: true });
}

/** The names of the fields that the service sets. */
export const filledIn: readonly string[] = Object.keys({ ...identity, ...history });

/** Returns whether the service sets this field. */
export function isFilledIn(field: string): boolean {
  return filledIn.includes(field);
}

/** Returns the fields of a record without those set by the service. */
export function fieldsIn(record: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([field]) => !isFilledIn(field)));
}

/** Returns a record with other fields and the same `id`, `version`, `createdAt` and `updatedAt`. */
export function withFields(record: Recorded<object>, fields: object): Recorded<object> {
  const { id, version, createdAt, updatedAt } = record;
  return { id, ...fieldsIn(fields), version, createdAt, updatedAt };
}

/** The type of the whole record with these fields. */
export type Recorded<Fields> = { id: number } & Fields & { version: number; createdAt: string; updatedAt: string };
