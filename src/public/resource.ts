export type { Event, EventOf } from "../schema/event";
export { type PastVersion, pastVersion } from "../schema/past-version";
export { defineResource, type FieldsOf, Nullable, type RecordOf, type Resource } from "../schema/resource";
