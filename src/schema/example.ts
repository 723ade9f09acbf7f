import type { TProperties, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { exampleOfFormat } from "./formats";

/** A value for a schema: its example (`examples: ["DHL"]`), its default, or the simplest one; of an object, property by property. */
export function exampleOf({ examples, default: given, ...schema }: TSchema): unknown {
  if (Array.isArray(examples)) return examples[0];
  if (given !== undefined) return given;
  const properties = schema["properties"] as TProperties | undefined;
  if (properties) return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, exampleOf(property)]));
  // The simplest text is none, which is seldom what is meant.
  if (Value.Check(schema as TSchema, "text")) return "text";
  const likely = [exampleOfFormat(schema["format"]), 0, schema["minimum"], schema["multipleOf"]];
  const simplest = likely.find((value) => value !== undefined && Value.Check(schema as TSchema, value));
  if (simplest !== undefined) return simplest;
  try {
    return Value.Create(schema as TSchema);
  } catch {
    // A pattern says what is right, and not how to make it.
    return "";
  }
}
