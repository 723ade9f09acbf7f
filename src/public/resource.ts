export type { Actor } from "../schema/actor";
export { defineResource } from "../schema/define-resource";
export type { Event, EventOf } from "../schema/event";
export { type Mistake, mistake } from "../schema/mistakes";
export { oneOf } from "../schema/one-of";
export { type PastVersion, pastVersion } from "../schema/past-version";
export { type FieldsOf, type InputOf, Nullable, type RecordOf, type Resource, type ResourceTypes } from "../schema/resource";
