import { type TObject, type TProperties, Type } from "@sinclair/typebox";
import { jsonReader } from "../http/json-body";
import { greatestId } from "../http/query";
import type { Resource } from "../schema/resource";
import type { Imported } from "../store/import";
import { complete, inputSchema } from "./defaults";

/** The greatest id that a line may have. New records get ids above the greatest there is, and a trillion of them are left. */
const greatestImported = greatestId - 1_000_000_000_000;

/**
 * Returns a function that reads a line of an export, or one with the fields of a new record. It checks a line as strictly as a
 * request, and throws the same problems.
 */
export function importedLine(resource: Resource): (bytes: Uint8Array) => Imported {
  const { input, fields, record } = resource;
  const own = Object.keys(fields.properties).filter((field) => !(field in input.properties));
  const optional = (names: readonly string[], of: TObject): TProperties =>
    Object.fromEntries(names.map((name) => [name, Type.Optional(of.properties[name] as never)]));
  const schema = Type.Object(
    {
      id: Type.Optional(Type.Integer({ minimum: 1, maximum: greatestImported })),
      ...inputSchema(input).properties,
      ...optional(own, fields),
      ...optional(["version", "createdAt", "updatedAt"], record),
    },
    { additionalProperties: false },
  );
  const read = jsonReader(schema, "line");
  return (bytes) => {
    const { id, version: _version, createdAt: _createdAt, updatedAt: _updatedAt, ...given } = read(bytes) as Record<string, unknown>;
    return { id: id as number | undefined, fields: complete(resource, given) };
  };
}
