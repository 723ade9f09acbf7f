import { type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { greatestId } from "../http/query";
import { documentedAs, titleOf } from "../schema/documented";
import type { Recorded } from "../schema/record";
import type { Resource } from "../schema/resource";
import { type Input, inputSchema } from "./defaults";
import { mergePatchSchema, type Patch } from "./merge-patch";

type Page<Plural extends string, Fields> = { [key in Plural]: Recorded<Fields>[] } & { next: string | null };

export type Schemas<Plural extends string, Fields extends object> = ReturnType<typeof schemasOf<Plural, Fields>>;

/**
 * Returns the schemas of a resource's requests and responses. The title of a schema becomes its name in the OpenAPI
 * document, and the name of a type in generated clients.
 */
export function schemasOf<Plural extends string, Fields extends object>(resource: Resource<string, Plural, Fields>) {
  const { name, plural, example, fields } = resource;
  const title = titleOf(name);
  // Checked as text: Elysia's own coercion to integers accepts "1e2" and loses the name of an invalid parameter.
  const id = Type.String({
    pattern: "^[1-9][0-9]{0,14}$",
    description: `The id of the ${name}, an integer.`,
    [documentedAs]: { type: "integer", minimum: 1, maximum: greatestId, examples: [1] },
  });
  const time = "2026-02-18T18:23:45.123Z";
  const recordExample = { id: 1, ...example, version: 1, createdAt: time, updatedAt: time };
  const patchExample = Object.fromEntries(Object.entries(example).slice(0, 1));
  const record: TSchema = { ...resource.record, title, examples: [recordExample] };
  const next = Type.Union([Type.String(), Type.Null()], { description: "Pass it as `after` to get the next page; null on the last page." });
  const page = Type.Object(
    { [plural]: Type.Array(record), next },
    { title: `${title}Page`, examples: [{ [plural]: [recordExample], next: null }] },
  );
  return {
    record: typed<Recorded<Fields>>(record),
    input: typed<Input<Fields>>({ ...inputSchema(fields), title: `${title}Input`, examples: [example] }),
    patch: typed<Patch<Fields>>({ ...mergePatchSchema(fields), title: `${title}Patch`, examples: [patchExample] }),
    page: typed<Page<Plural, Fields>>(page),
    params: Type.Object({ id }),
  };
}

/** Returns the schema with an explicit static type. TypeBox cannot infer the type while the resource is a type parameter. */
export function typed<T>(schema: TSchema): TUnsafe<T> {
  return schema as TUnsafe<T>;
}
