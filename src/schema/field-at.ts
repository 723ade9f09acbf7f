import { type TObject, type TProperties, type TSchema, TypeGuard } from "@sinclair/typebox";
import { alternativesOf } from "./path-values";

/** The schema's description of the value at a path, such as `address.city`. */
export interface FieldAt {
  /** The JSON types of the value, without null. */
  readonly types: readonly string[];
  /** True if the value may be null or missing. */
  readonly isNullable: boolean;
  /** The possible values, if the schema lists them. */
  readonly words: readonly unknown[] | undefined;
  /** The format of the text. Undefined if it has none, or several. */
  readonly format: string | undefined;
  /** Maximum length of the text. Infinity if it has none. */
  readonly maxLength: number;
  /** The elements, if the value is an array. */
  readonly elements: FieldAt | undefined;
}

/** Returns what the schema of an object says of the value at a path. Returns undefined if it has no such path. */
export function fieldAt({ properties }: TObject, path: string): FieldAt | undefined {
  let found: TSchema[] = [];
  let isNullable = false;
  let objects: readonly TProperties[] = [properties];
  for (const name of path.split(".")) {
    const schemas = objects.flatMap((own) => (Object.hasOwn(own, name) ? [own[name] as TSchema] : []));
    if (schemas.length === 0) return undefined;
    found = schemas.flatMap(alternativesOf);
    isNullable ||= schemas.length < objects.length || schemas.some(TypeGuard.IsOptional) || found.some(isNull);
    objects = found.flatMap((schema) => (schema["properties"] ? [schema["properties"] as TProperties] : []));
  }
  return described(found, isNullable);
}

/** Returns whether the value at a path is a time, which is compared as an instant and not as text. */
export function isTimeAt(fields: TObject, path: string): boolean {
  return fieldAt(fields, path)?.format === "date-time";
}

function described(schemas: readonly TSchema[], isNullable: boolean): FieldAt {
  const some = schemas.filter((schema) => !isNull(schema));
  const only = <T>(values: readonly T[]) => (new Set(values).size === 1 ? values[0] : undefined);
  const elements = some.flatMap((schema) =>
    schema["type"] === "array" && schema["items"] ? alternativesOf(schema["items"] as TSchema) : [],
  );
  return {
    types: [...new Set(some.map((schema) => String(schema["type"])))],
    isNullable,
    words: some.every((schema) => "const" in schema) ? some.map((schema) => schema["const"] as unknown) : undefined,
    format: only(some.map((schema) => schema["format"] as string | undefined)),
    maxLength: Math.max(...some.map((schema) => (schema["maxLength"] as number | undefined) ?? Number.POSITIVE_INFINITY)),
    elements: elements.length > 0 ? described(elements, elements.some(isNull)) : undefined,
  };
}

function isNull(schema: TSchema): boolean {
  return schema["type"] === "null";
}
