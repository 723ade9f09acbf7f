import { type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { documentedAs, titleOf } from "../domain/documented";
import type { Resource } from "../domain/resource";
import { inputSchema } from "./defaults";
import { mergePatchSchema } from "./merge-patch";

/** A schema with its static type said outright: TypeBox cannot infer it while the resource is still a type parameter. */
export function typed<T>(schema: TSchema): TUnsafe<T> {
  return schema as TUnsafe<T>;
}

/**
 * An integer in a path or a query, which are text. Checked as such, since Elysia's own coercion to integers takes "1e2"
 * and loses the name of what is wrong.
 *
 * @param documented the integer that it is to a client.
 */
function integerText(pattern: string, description: string, documented: { minimum: number; [keyword: string]: unknown }) {
  return Type.String({ pattern, description, [documentedAs]: { type: "integer", ...documented } });
}

/** Of fifteen digits. */
const greatestId = 999_999_999_999_999;

/** `limit` and `after` of a list in the order of numbers. */
export const pageQuery = Type.Object({
  limit: Type.Optional(
    typed<number | string>(
      integerText("^([1-9]|[1-9][0-9]|1[0-9]{2}|200)$", "How many at most: 1 to 200. Default: 50.", {
        minimum: 1,
        maximum: 200,
        default: 50,
      }),
    ),
  ),
  after: Type.Optional(
    typed<number | string>(
      integerText("^(0|[1-9][0-9]{0,14})$", "The `next` of the page before, an integer.", { minimum: 0, maximum: greatestId }),
    ),
  ),
});

/**
 * The schemas of a resource's requests and answers. Those with a title get a place, and generated clients a type, of
 * that name.
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
