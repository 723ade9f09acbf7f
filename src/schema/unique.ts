import type { TProperties } from "@sinclair/typebox";
import type { Access } from "./access";
import { typesAt } from "./path-values";
import type { OneValue, PathTo } from "./paths";

/** A unique key as declared: a field, several fields that are unique together, or either with options. */
export type UniqueOption<Field extends string> = Field | readonly Field[] | UniqueOptions<Field>;

interface UniqueOptions<Field extends string> {
  /** The field, or the fields that are unique together. */
  readonly field: Field | readonly Field[];
  /** True if texts that differ only in case are the same. Default: false. */
  readonly ignoreCase?: boolean;
  /** `owner`: only the records of one owner must differ. Default: those of all owners, so that a conflict tells that a value exists. */
  readonly within?: "owner";
}

/** The paths to a text, number or boolean outside of arrays, such as `email` or `address.city`. */
export type UniqueField<Fields> = OneValue<PathTo<Fields, string | number | boolean>>;

/** A key that no two records of a resource may share. */
export interface UniqueKey {
  /** Names the key among those of its resource: `email`, or `project,slug`. */
  readonly name: string;
  /** Paths of its fields. A conflict names each of them. */
  readonly paths: readonly string[];
  /** Paths of fields that limit the key: records that differ in one of them never conflict. A conflict does not name them. */
  readonly within: readonly string[];
  readonly ignoreCase: boolean;
}

const scalars = ["string", "number", "integer", "boolean", "null"];

/**
 * Returns the unique keys of a resource.
 *
 * @param access its tenants limit every key.
 * @throws {TypeError} if a field does not exist or is not a text, number or boolean, or two keys have the same fields.
 */
export function uniqueKeys(
  resource: string,
  fields: TProperties,
  declared: readonly UniqueOption<string>[],
  { owner, scope }: Pick<Access, "owner" | "scope">,
): UniqueKey[] {
  const refuse = (what: string): never => {
    throw new TypeError(`Resource "${resource}": ${what}`);
  };
  const names = new Set<string>();
  return declared.map((option) => {
    const { field, ignoreCase = false, within: limit } = typeof option === "object" && "field" in option ? option : { field: option };
    const paths = [field].flat();
    if (paths.length === 0) refuse("a unique key names no field.");
    for (const path of paths) {
      const types = typesAt(fields, path);
      if (types.length === 0) refuse(`the unique key "${path}" does not name a field.`);
      if (path.includes("[]")) refuse(`the unique key "${path}" leads into an array; only a field with one value can be unique.`);
      if (!types.every((type) => scalars.includes(type)))
        refuse(`the field "${path}" cannot be unique; it must be a string, number or boolean, and may be null.`);
    }
    if (ignoreCase && !paths.some((path) => typesAt(fields, path).includes("string")))
      refuse(`the unique key "${paths.join(", ")}" has \`ignoreCase\`, but no text; leave it out.`);
    const name = paths.join(",");
    if (new Set(paths).size < paths.length || names.has(name)) refuse(`the unique key "${name}" is declared twice.`);
    names.add(name);
    if (limit !== undefined && (limit !== "owner" || owner === undefined))
      refuse(`the unique key "${name}" has \`within: "${limit}"\`; it can only be within "owner", of a resource that declares \`owner\`.`);
    const within = [...(scope ? [scope.field] : []), ...(limit !== undefined && owner !== undefined ? [owner] : [])];
    return { name, paths, within, ignoreCase };
  });
}
