import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import type { Resource } from "./domain/resource";
import { mergePatchSchema } from "./merge-patch";

/** Patterns, since a query is text, and since Elysia's own coercion to integers takes "1e2" and loses the name of what is wrong. */
const limit = Type.String({ pattern: "^([1-9]|[1-9][0-9]|1[0-9]{2}|200)$", description: "How many at most: 1 to 200. Default: 50." });
const after = Type.String({ pattern: "^[0-9]{1,15}$", description: "The `next` of the page before, an integer." });

/** What the documentation says of the parameters: the integers that they are to a client. */
export const pageParameters = [
  parameter("query", "limit", limit, { type: "integer", minimum: 1, maximum: 200, default: 50 }),
  parameter("query", "after", after, { type: "integer", minimum: 0 }),
];

/**
 * The schemas of a resource's requests and answers. Those with a title get a place, and generated clients a type, of
 * that name.
 */
export function schemasOf(resource: Resource) {
  const { name, plural, example, fields } = resource;
  const title = titleOf(name);
  const id = Type.String({ pattern: "^[1-9][0-9]{0,14}$", description: `The id of the ${name}, an integer.` });
  const time = "2026-02-18T18:23:45.123Z";
  const recordExample = { id: 1, ...example, version: 1, createdAt: time, updatedAt: time };
  const record: TSchema = { ...resource.record, title, examples: [recordExample] };
  const next = Type.Union([Type.Integer(), Type.Null()], { description: "Pass it as `after` for the next page; null on the last one." });
  return {
    record,
    input: Type.Object(optionalWhereDefault(fields), { additionalProperties: false, title: `${title}Input`, examples: [example] }),
    patch: {
      ...mergePatchSchema(fields),
      title: `${title}Patch`,
      examples: [Object.fromEntries(Object.entries(example).slice(0, 1))],
    } as TSchema,
    page: Type.Object(
      { [plural]: Type.Array(record), next },
      { title: `${title}Page`, examples: [{ [plural]: [recordExample], next: null }] },
    ),
    pageQuery: Type.Object({ limit: Type.Optional(limit), after: Type.Optional(after) }),
    params: Type.Object({ id }),
    idParameters: [parameter("path", "id", id, { type: "integer", minimum: 1 }, { required: true, example: 1 })],
  };
}

function optionalWhereDefault(fields: TObject) {
  const entries = Object.entries(fields.properties).map(([name, schema]) => [name, "default" in schema ? Type.Optional(schema) : schema]);
  return Object.fromEntries(entries) as TObject["properties"];
}

/** `order_line` is OrderLine. */
function titleOf(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

interface IntegerSchema {
  type: "integer";
  minimum: number;
  maximum?: number;
  default?: number;
}

function parameter(
  place: "path" | "query",
  name: string,
  checked: TSchema,
  schema: IntegerSchema,
  more: { required?: true; example?: number } = {},
) {
  return { in: place, name, ...(checked.description && { description: checked.description }), schema, ...more };
}
