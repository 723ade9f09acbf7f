import type { TProperties } from "@sinclair/typebox";
import { typesAt } from "./path-values";
import type { PathTo } from "./paths";

/**
 * The effect of the deletion of a record on the records that refer to it.
 * - `restrict`: the deletion is refused.
 * - `cascade`: they are deleted as well.
 * - `null`: their field becomes null.
 */
export type OnDelete = "restrict" | "cascade" | "null";

/** References as declared, by the path of the field that has the id of the other record. */
export type References = { readonly [path: string]: { readonly to: string; readonly onDelete?: string } };

/** The reference that a field allows. If there is no such field, a text that says so in the compiler's message. */
export type ReferenceFor<Fields, P extends PropertyKey> =
  P extends PathTo<Fields, number>
    ? {
        /** Name of the resource whose id the field has. */
        readonly to: string;
        /** Default: `restrict`. A field inside an array, or one that does not allow null, cannot have `null`. */
        readonly onDelete?: P extends `${string}[]${string}` ? Exclude<OnDelete, "null"> : OnDelete;
      }
    : `no integer field "${P & string}"`;

/** A field that has the id of a record of another resource, or of the same one. */
export interface Reference {
  /** Path of the field, such as `customer` or `lines[].product`. */
  readonly path: string;
  /** Name of the other resource. */
  readonly to: string;
  readonly onDelete: OnDelete;
}

/** Name of the property that contains the records to which a record in a response refers. */
export const expandedField = "expanded";

/**
 * Returns the references of a resource.
 *
 * @throws {TypeError} if a field does not exist or is not an integer, or cannot become null and has to.
 */
export function referencesOf(resource: string, fields: TProperties, declared: References): Reference[] {
  const refuse = (path: string, what: string): never => {
    throw new TypeError(`Resource "${resource}": the reference "${path}" ${what}`);
  };
  return Object.entries(declared).map(([path, { to, onDelete = "restrict" }]) => {
    const types = typesAt(fields, path);
    if (types.length === 0) refuse(path, "does not name a field.");
    if (!types.includes("integer") || !types.every((type) => type === "integer" || type === "null"))
      refuse(path, "must be an integer, as ids are; use Type.Integer({ minimum: 1 }).");
    if (typeof to !== "string") refuse(path, 'does not say to which resource it leads; add `to`, such as `to: "customer"`.');
    if (!["restrict", "cascade", "null"].includes(onDelete)) refuse(path, "has an unknown `onDelete`; use restrict, cascade or null.");
    if (onDelete === "null" && path.includes("[]"))
      refuse(path, 'cannot have `onDelete: "null"`, because it is in an array; use restrict or cascade.');
    if (onDelete === "null" && !types.includes("null"))
      refuse(path, 'has `onDelete: "null"`, but the field does not allow null; wrap its type in Nullable(…).');
    if (Object.hasOwn(fields, expandedField))
      refuse(path, `needs the name "${expandedField}" in responses, so no field can have it; rename that field.`);
    return { path, to, onDelete: onDelete as OnDelete };
  });
}

/** @throws {Error} if a reference leads to a resource that does not exist. */
export function checkTargets(resources: readonly { readonly name: string; readonly references: readonly Reference[] }[]): void {
  const names = resources.map(({ name }) => name);
  for (const { name, references } of resources)
    for (const { path, to } of references)
      if (!names.includes(to))
        throw new Error(
          `Resource "${name}": the reference "${path}" leads to "${to}", which is not a resource. ` +
            `Known: ${names.join(", ")}. A resource is exported from a file in src/domain/.`,
        );
}
