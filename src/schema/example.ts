import type { TProperties, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { exampleOfFormat } from "./formats";

/**
 * Returns an example value for a schema: its first example (`examples: ["DHL"]`), else its default, else a simple value. For an
 * object, returns an example of each property. The result may be invalid if a pattern prevents a simple value.
 */
export function exampleOf({ examples, default: given, ...schema }: TSchema): unknown {
  if (Array.isArray(examples)) return examples[0];
  if (given !== undefined) return given;
  const properties = schema["properties"] as TProperties | undefined;
  if (properties) return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, exampleOf(property)]));
  // The simplest string is the empty one, which is a poor example.
  if (Value.Check(schema as TSchema, "text")) return "text";
  const likely = [exampleOfFormat(schema["format"]), 0, schema["minimum"], schema["multipleOf"]];
  const simplest = likely.find((value) => value !== undefined && Value.Check(schema as TSchema, value));
  if (simplest !== undefined) return simplest;
  try {
    return Value.Create(schema as TSchema);
  } catch {
    // TypeBox cannot generate a string for a pattern.
    return "";
  }
}
