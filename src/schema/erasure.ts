// The erasure of a record: all data of it is taken out of the service, also out of the event log.
import { type TObject, Type } from "@sinclair/typebox";
import type { Resource } from "./resource";

/** Name of the event that a record was erased: the second part of `customer.erased`. */
export const erased = "erased";

/** The type of an event in the log whose data was erased: `{"id":…,"type":"erased","timestamp":…}`. It is never sent to consumers. */
export const tombstone = "erased";

/** Returns the type of the event that a record of a resource was erased, such as `customer.erased`. */
export function erasureOf({ name }: Pick<Resource, "name">): string {
  return `${name}.${erased}`;
}

/** Returns the types of all events about records of a resource: its own, and that of an erasure. */
export function typesWithErasure(resource: Pick<Resource, "name" | "eventTypes">): string[] {
  return [...resource.eventTypes, erasureOf(resource)];
}

/** Returns whether an event of this type says that a record was erased. */
export function isErasure(type: string): boolean {
  return type.endsWith(`.${erased}`);
}

/** Schema of the record in the event. */
export const erasedRecord: TObject = Type.Object({ id: Type.Integer({ minimum: 1 }) }, { additionalProperties: true });
