import { type TSchema, Type } from "@sinclair/typebox";
import { greatestId, integerText } from "../http/page-query";
import { titleOf } from "../schema/documented";
import type { Resource } from "../schema/resource";
import { inputSchema } from "./defaults";
import { mergePatchSchema } from "./merge-patch";

/**
 * Returns the schemas of a resource's requests and responses. The title of a schema becomes its name in the OpenAPI
 * document, and the name of a type in generated clients.
 */
export function schemasOf(resource: Resource) {
  const { name, plural, example, fields } = resource;
  const title = titleOf(name);
  const id = integerText("^[1-9][0-9]{0,14}$", `The id of the ${name}, an integer.`, { minimum: 1, maximum: greatestId, examples: [1] });
  const time = "2026-02-18T18:23:45.123Z";
  const recordExample = { id: 1, ...example, version: 1, createdAt: time, updatedAt: time };
  const record: TSchema = { ...resource.record, title, examples: [recordExample] };
  const next = Type.Union([Type.String(), Type.Null()], { description: "Pass it as `after` for the next page; null on the last one." });
  return {
    record,
    input: { ...inputSchema(fields), title: `${title}Input`, examples: [example] } as TSchema,
    patch: {
      ...mergePatchSchema(fields),
      title: `${title}Patch`,
      examples: [Object.fromEntries(Object.entries(example).slice(0, 1))],
    } as TSchema,
    page: Type.Object(
      { [plural]: Type.Array(record), next },
      { title: `${title}Page`, examples: [{ [plural]: [recordExample], next: null }] },
    ),
    params: Type.Object({ id }),
  };
}
