import { Kind, TransformKind, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { asDecimal, decimalKind } from "./decimal";
import { asText, textKind } from "./text";

/** TypeBox kinds that describe JSON, and Warren's own kinds. */
const jsonKinds = new Set([
  ...["Any", "Array", "Boolean", "Integer", "Intersect", "Literal", "Never", "Not", "Null", "Number", "Object", "Record", "String"],
  ...["TemplateLiteral", "This", "Tuple", "Union", "Unknown"],
  ...[textKind, decimalKind],
]);

/** Advice for other kinds that people often try. */
const instead: Readonly<Record<string, string>> = {
  Date: 'use Type.String({ format: "date-time" })',
  RegExp: "use Type.String({ pattern }), because JSON Schema patterns have no flags",
  BigInt: "use Type.String({ pattern }), because most JSON parsers round large numbers",
  Undefined: "wrap the property in Type.Optional",
  Void: "wrap the property in Type.Optional",
  Unsafe: "pass Type.Unsafe a schema that can be checked, such as Type.Unsafe<Colour>(Type.String())",
};

/** Keywords whose value is a schema or an array of schemas. */
const inner = ["items", "anyOf", "allOf", "not", "contains", "additionalProperties", "unevaluatedProperties"];

/**
 * Returns a deep copy of a schema that every process checks in the same way, whatever modules it has loaded. Strings become
 * {@link asText} schemas and numbers {@link asDecimal} schemas. Does not change the given schema.
 *
 * @param what start of error messages, such as `Resource "order": the field`.
 * @throws {TypeError} if it is not a valid schema for JSON: an unknown kind or format, a transform, an invalid pattern or
 *   `multipleOf`, or a default or example that does not match the schema.
 */
export function checkable<T extends TSchema>(schema: T, what: string): T {
  try {
    return copyOf(schema, "");
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(`${what} ${error.message}`) : error;
  }
}

/** @param place place of the schema for error messages, such as `lines[].quantity`. */
function copyOf<T extends TSchema>(schema: T, place: string): T {
  const refuse = (what: string): never => {
    throw new TypeError(`"${place}" ${what}.`);
  };
  const kind: unknown = schema?.[Kind];
  if (typeof kind !== "string") return refuse("is not a schema; create it with Type from @sinclair/typebox");
  if (TransformKind in schema)
    refuse("is a transform, so the stored value would differ from the sent one; declare the type of its JSON instead");
  if (!jsonKinds.has(kind)) {
    refuse(
      `is of the kind "${kind}", which is not a JSON type or not known to every process; ${instead[kind] ?? "use a JSON type of @sinclair/typebox"}`,
    );
  }
  let copy: TSchema = { ...schema };
  for (const keyword of ["properties", "patternProperties"]) {
    const parts = schema[keyword] as Record<string, TSchema> | undefined;
    if (!parts) continue;
    const isNamed = keyword === "properties";
    const entries = Object.entries(parts).map(([name, part]) => [name, copyOf(part, partOf(place, isNamed ? name : "*"))]);
    copy[keyword] = Object.fromEntries(entries);
  }
  for (const keyword of inner) {
    const part: unknown = schema[keyword];
    const at = ["items", "contains"].includes(keyword) ? `${place}[]` : place;
    if (Array.isArray(part)) copy[keyword] = part.map((one: TSchema) => copyOf(one, at));
    else if (typeof part === "object" && part !== null) copy[keyword] = copyOf(part as TSchema, at);
  }
  try {
    if (kind === "String") copy = asText(copy);
    else if (kind === "Number" || kind === "Integer") copy = asDecimal(copy);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    refuse(error.message);
  }
  if ("default" in copy && !Value.Check(copy, copy.default)) refuse("has a default that does not match the schema");
  const examples: unknown = copy["examples"];
  if (Array.isArray(examples) && !examples.every((example) => Value.Check(copy, example)))
    refuse("has an example that does not match the schema");
  return copy as T;
}

function partOf(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}
