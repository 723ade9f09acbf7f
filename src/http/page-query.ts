import { type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { documentedAs } from "../schema/documented";

/** Returns the schema with an explicit static type. TypeBox cannot infer the type while the resource is a type parameter. */
export function typed<T>(schema: TSchema): TUnsafe<T> {
  return schema as TUnsafe<T>;
}

/**
 * Returns the schema of an integer in a path or a query, checked as text. Elysia's own coercion to integers accepts "1e2"
 * and loses the name of an invalid parameter.
 *
 * @param documented keywords of the integer schema that the documentation shows.
 */
export function integerText(pattern: string, description: string, documented: { minimum: number; [keyword: string]: unknown }) {
  return Type.String({ pattern, description, [documentedAs]: { type: "integer", ...documented } });
}

/** The greatest id: the greatest number of 15 digits. */
export const greatestId = 999_999_999_999_999;

/** The query `limit` and `after` of a list ordered by number. */
export const pageQuery = Type.Object({
  limit: Type.Optional(
    typed<number | string>(
      integerText("^([1-9]|[1-9][0-9]|1[0-9]{2}|200)$", "Maximum number of results, from 1 to 200. Default: 50.", {
        minimum: 1,
        maximum: 200,
        default: 50,
      }),
    ),
  ),
  after: Type.Optional(
    typed<number | string>(
      integerText("^(0|[1-9][0-9]{0,14})$", "The `next` of the previous page, an integer.", { minimum: 0, maximum: greatestId }),
    ),
  ),
});
