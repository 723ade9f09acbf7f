import { type TObject, type TProperties, Type } from "@sinclair/typebox";
import { UtcTime } from "./time";

/** The keys that the service itself fills in; a resource's own fields stand between `id` and `version`. */
const identity = { id: Type.Integer({ minimum: 1 }) };
const history = {
  version: Type.Integer({ minimum: 1, description: "Counts the changes to this record, from 1." }),
  createdAt: UtcTime("When the record was created."),
  updatedAt: UtcTime("When the record was last changed."),
};

/** The schema of the whole record with these fields. */
export function recordOf(fields: TProperties): TObject {
  // Said outright: a newer program may send more, and Elysia sets what is not said to false, in this very object.
  return Type.Object<TProperties>({ ...identity, ...fields, ...history }, { additionalProperties: true });
}

export function isFilledIn(field: string): boolean {
  return field in identity || field in history;
}

/** The record without what the service fills in. */
export function fieldsIn(record: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([field]) => !isFilledIn(field)));
}

/** A record with other fields. */
export function withFields(record: Recorded<object>, fields: object): Recorded<object> {
  const { id, version, createdAt, updatedAt } = record;
  return { id, ...fieldsIn(fields), version, createdAt, updatedAt };
}

/** The whole record with these fields. */
export type Recorded<Fields> = { id: number } & Fields & { version: number; createdAt: string; updatedAt: string };
