import { type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { documentedAs } from "../schema/documented";

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
export function integerText(pattern: string, description: string, documented: { minimum: number; [keyword: string]: unknown }) {
  return Type.String({ pattern, description, [documentedAs]: { type: "integer", ...documented } });
}

/** Of fifteen digits. */
export const greatestId = 999_999_999_999_999;

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
