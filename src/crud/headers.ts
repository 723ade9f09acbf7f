// How the OpenAPI document shows the headers. As parameters, since Elysia would check a schema of headers on every request.
import type { TSchema } from "@sinclair/typebox";

const text = { type: "string" as const };
const header = (name: string, description: string, example: string) => ({
  name,
  in: "header" as const,
  required: false,
  description,
  schema: text,
  example,
});

const tags = "ETags in quotes, separated by commas, or *.";
const ifMatch = header("If-Match", `Only if the record is in one of these states (${tags})`, '"1-8ks2p1"');
const ifNoneMatch = (description: string) => header("If-None-Match", `${description} (${tags})`, '"1-8ks2p1"');

export const idempotencyKey = header(
  "Idempotency-Key",
  "1 to 255 visible ASCII characters, with or without quotes. The same request with the same key again, within 24 hours, gets the first answer and creates nothing.",
  '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
);

/** The parameters of a request about one record: the plugin takes those in `detail` for all of them. */
function parametersOf(params: TSchema, headers: readonly ReturnType<typeof header>[]) {
  const { description, ...schema } = (params["properties"] as { id: TSchema }).id;
  return [{ name: "id", in: "path" as const, required: true, description: description ?? "", schema: schema as object }, ...headers];
}
export const readParameters = (params: TSchema) =>
  parametersOf(params, [ifMatch, ifNoneMatch("304 if the record is still in one of these states")]);
export const changeParameters = (params: TSchema) =>
  parametersOf(params, [ifMatch, ifNoneMatch("Only if the record is in none of these states")]);

export const etag = { ETag: { description: "The state of the record, for If-Match and If-None-Match.", schema: text } };
export const location = { Location: { description: "The path of what was created.", schema: text } };
