import type { ResourceTypes } from "../schema/resource";

/** A record from elsewhere, such as an export. */
export interface Imported<T extends ResourceTypes = ResourceTypes> {
  /** The id that the record is to have. Undefined: a new one. */
  readonly id: number | undefined;
  /** All fields of the record. Derived ones are computed again. */
  readonly fields: T["input"] & Partial<T["managed"]>;
}
