import type { Recorded } from "../schema/record";
import type { Proposed, Resource, ResourceTypes } from "../schema/resource";

/** A patch of a record. A field that the record does not have gets a type that says so. */
export type PatchOf<T extends ResourceTypes, Patch> = {
  readonly [Field in keyof Patch]: Field extends keyof Recorded<T["fields"]>
    ? Recorded<T["fields"]>[Field]
    : `no field "${Field & string}"`;
};

/**
 * Returns the fields of a record with a patch of its fields applied.
 *
 * @throws {TypeError} if the patch is not an object, for example because its function is async, or sets a field that does not exist
 *   or that only the service sets. A whole record with some fields changed is fine.
 */
export function patched<T extends ResourceTypes>(resource: Resource<T>, current: Recorded<T["fields"]>, patch: object): Proposed<T> {
  const refuse = (what: string): never => {
    throw new TypeError(`A change of the ${resource.name} ${current.id} ${what}.`);
  };
  if (patch instanceof Promise) {
    // Prevent an unhandled rejection.
    patch.catch(() => {});
    refuse("returned a promise; it must not be async");
  }
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) refuse("must return an object with the fields to change");
  const before: Readonly<Record<string, unknown>> = current;
  for (const [field, value] of Object.entries(patch)) {
    if (field in resource.input.properties || field in resource.managed) continue;
    if (!Bun.deepEquals(value, before[field])) refuse(`sets "${field}", which is not a field that code can set`);
  }
  return { ...current, ...patch };
}
