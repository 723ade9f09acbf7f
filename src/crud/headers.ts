// Headers in the OpenAPI document. They are parameters because Elysia would check a schema of headers on every request.
// They have no examples because Swagger UI would send these with every request that a user tries out.
import type { TSchema } from "@sinclair/typebox";
import type { documentedQuery } from "../http/query";

const text = { type: "string" as const };
const header = (name: string, description: string, pattern: string) => ({
  name,
  in: "header" as const,
  required: false,
  description,
  schema: { ...text, pattern },
});

const tags = 'one or more ETags such as `"1-8ks2p1"`, or `*` for any state';
const tagsPattern = String.raw`^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$`;
const ifMatch = header("If-Match", `Only if the record is in one of these states: ${tags}.`, tagsPattern);
const ifNoneMatch = (what: string) => header("If-None-Match", `${what}: ${tags}.`, tagsPattern);

export const idempotencyKey = header(
  "Idempotency-Key",
  "1 to 255 visible ASCII characters, such as a new UUID. Repeating a request with the same key within 24 hours returns the first response and changes nothing.",
  String.raw`^("[ !#-\[\]-~]{1,255}"|[!#-+\--\[\]-~]{1,255})$`,
);

/**
 * Returns all parameters of a request for one record. The path parameter is included because the OpenAPI plugin takes
 * the list in `detail` as complete.
 */
function parametersOf(params: TSchema, headers: readonly ReturnType<typeof header>[]) {
  const { description, ...schema } = (params["properties"] as { id: TSchema }).id;
  return [{ name: "id", in: "path" as const, required: true, description: description ?? "", schema: schema as object }, ...headers];
}
export const idParameter = (params: TSchema) => parametersOf(params, []);
export const readParameters = (params: TSchema, query: ReturnType<typeof documentedQuery>) => [
  ...parametersOf(params, [ifMatch, ifNoneMatch("Returns 304 if the record is still in one of these states")]),
  ...query,
];
/**
 * Returns all parameters of a request that changes one record: the path parameter, `If-Match`, `If-None-Match` and `Idempotency-Key`.
 * For `detail` of a route, so that the API documentation shows them.
 *
 * @param params schema of the path parameter, from `paramsOf`.
 */
export const changeParameters = (params: TSchema) =>
  parametersOf(params, [ifMatch, ifNoneMatch("Only if the record is not in any of these states"), idempotencyKey]);

export const etag = { ETag: { description: "The state of the record, for use in If-Match and If-None-Match.", schema: text } };
export const location = { Location: { description: "The path of the created record.", schema: text } };
export const link = { Link: { description: 'Links to the next page (`rel="next"`) and the first page (`rel="first"`).', schema: text } };
