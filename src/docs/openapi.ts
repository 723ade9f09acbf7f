import { toOpenAPIPath } from "@elysiajs/swagger/utils";
import type { Scope } from "../config/api-access";
import { nameOfStatus, Problem, problemOf } from "../http/problem";
import { documentedAs } from "../schema/documented";
import { documented, isObject, type Json, rebuild } from "./rebuild";

export interface OpenApiDocument {
  readonly paths: Record<string, Record<string, Json>>;
  readonly components?: Json & { readonly schemas?: Json };
  readonly [key: string]: unknown;
}

/** A route as stored by Elysia. */
export interface DocumentedRoute {
  readonly method: string;
  readonly path: string;
  readonly hooks: { readonly body?: unknown; readonly response?: unknown; readonly detail?: Json };
}

/** The checks that the app makes before a request reaches a route. */
export interface Gate {
  /** Returns the scope that a token needs, or undefined if a request needs no token. */
  readonly scopeFor: (method: string, path: string) => Scope | undefined;
  /** True if the API has tokens. Without tokens, all requests pass. */
  readonly needsToken: boolean;
  /** True if a token can lack the scope `read`. */
  readonly mayLackRead: boolean;
  /** True if the rate of requests is limited. */
  readonly limitsRate: boolean;
  /** True if the host of a request must be a local or allowed name. */
  readonly checksHost: boolean;
}

/**
 * Completes the document that @elysiajs/swagger generates from the routes. The plugin has these shortcomings:
 *
 * - It lists JSON, form and text as media types of every body and response.
 * - It loses titles, examples and `additionalProperties`.
 * - It overwrites a route's own `requestBody`.
 * - It omits the description that OpenAPI requires of a response.
 * - It does not know the responses of the app's own checks, which run before a route.
 */
export function completeDocument(drawn: OpenApiDocument, routes: readonly DocumentedRoute[], gate: Gate): OpenApiDocument {
  const schemas: Json = { ...drawn.components?.schemas };
  const paths = Object.fromEntries(Object.entries(drawn.paths).map(([path, operations]) => [path, { ...operations }]));
  for (const route of routes) {
    const operations = paths[toOpenAPIPath(route.path)];
    const method = route.method.toLowerCase();
    const operation = operations?.[method];
    if (operations && operation) operations[method] = withNames(completeOperation(operation, route, gate), schemas);
  }
  return { ...drawn, paths, components: { ...drawn.components, schemas } };
}

function completeOperation(operation: Json, { method, path, hooks }: DocumentedRoute, gate: Gate): Json {
  const { requestBody, responses } = (hooks.detail ?? {}) as { requestBody?: Json; responses?: Record<string, Json> };
  const scope = gate.scopeFor(method, path);
  const answers: Record<string, Json> = Object.fromEntries(
    Object.entries(schemasByStatus(hooks.response)).map(([status, schema]) => [status, answer(status, schema)]),
  );
  if (!hooks.response && !responses) answers["200"] = answer("200", undefined);
  if (gate.needsToken && scope) answers["401"] = answer("401", Problem);
  // Tokens of the service can read. A change may come from a web page of another origin, which is refused.
  if ((gate.needsToken && scope === "admin") || (scope && gate.mayLackRead) || method !== "GET") answers["403"] = answer("403", Problem);
  if (hooks.body) answers["413"] = answer("413", Problem);
  if (gate.checksHost) answers["421"] = answer("421", Problem);
  if (gate.limitsRate) answers["429"] = answer("429", Problem);
  answers["500"] = answer("500", Problem);
  for (const [status, own] of Object.entries(responses ?? {})) answers[status] = { ...answers[status], ...own };
  return {
    ...operation,
    ...(isStream(answers["200"]) && { description: [operation["description"], streamNote].filter(Boolean).join(" ") }),
    ...(Array.isArray(operation["parameters"]) && { parameters: operation["parameters"].map(completeParameter) }),
    ...(!scope && { security: [] }),
    ...(isObject(hooks.body) && { requestBody: withoutDefaults(documented(completeBody(requestBody, hooks.body))) }),
    responses: documented(answers),
  };
}

const streamNote = "Swagger UI cannot show an endless stream. Follow it with `curl --no-buffer`, or with `EventSource` in a web page.";

function isStream(answer: Json | undefined): boolean {
  return isObject(answer?.["content"]) && "text/event-stream" in answer["content"];
}

function completeParameter({ schema, examples, ...parameter }: Json): Json {
  const { [documentedAs]: instead, ...checked } = schema as Json;
  const { examples: own, ...shown } = (instead ?? checked) as Json;
  const [example] = [own, examples].find(Array.isArray) ?? [];
  // Optional parameters have no example, because Swagger UI would fill it in and send it.
  return { ...parameter, schema: shown, ...(example !== undefined && parameter["required"] === true && { example: example as unknown }) };
}

function completeBody(own: Json = {}, body: Json): Json {
  const schema = (body[documentedAs] ?? body) as Json;
  const content = (own["content"] ?? { "application/json": {} }) as Record<string, Json>;
  const completed = Object.entries(content).map(([type, described]) => [type, { ...media(schema), ...described }]);
  return { required: true, ...own, content: Object.fromEntries(completed) };
}

/**
 * Moves each default of a request body into the description. Client generators, such as openapi-typescript, treat a property
 * with a default as always present, and would force a client to send it.
 */
function withoutDefaults(body: Json): Json {
  return rebuild(body, ({ default: fallback, ...schema }) => {
    if (fallback === undefined) return schema;
    const { description } = schema;
    return { ...schema, description: [description, `Default: \`${JSON.stringify(fallback)}\`.`].filter(Boolean).join(" ") };
  });
}

/** Returns the response schemas by status. A single schema is the one for 200. */
function schemasByStatus(response: unknown): Record<string, unknown> {
  if (!isObject(response)) return {};
  return Object.keys(response).every((key) => /^\d{3}$/.test(key)) ? response : { 200: response };
}

/** Headers of the problems that the service itself returns, by status. */
const problemHeaders: Record<string, Json> = {
  401: { "WWW-Authenticate": { description: "The authentication scheme to use (RFC 6750).", schema: { type: "string" } } },
  429: { "Retry-After": { description: "Seconds to wait before the next request.", schema: { type: "integer", minimum: 1 } } },
};

function answer(status: string, schema: unknown): Json {
  if (!isObject(schema)) return { description: nameOfStatus(status) ?? status };
  if (schema["title"] === Problem.title) {
    const example = problemOf(Number(status), "019ab790-8c6e-7000-a9c7-a7d37be9ec58");
    const headers = problemHeaders[status];
    return { description: example.title, ...(headers && { headers }), content: { "application/problem+json": { schema, example } } };
  }
  const described = { description: schema["description"] ?? nameOfStatus(status) ?? status };
  if (["undefined", "void", "null"].includes(String(schema["type"]))) return described;
  return { ...described, content: { [schema["type"] === "string" ? "text/plain" : "application/json"]: media(schema) } };
}

function media(schema: Json): Json {
  const { examples, ...rest } = schema;
  return { schema: rest, ...(Array.isArray(examples) && { example: examples[0] as unknown }) };
}

/** Moves each schema with a title to `schemas` under that name, and replaces it by a reference. */
function withNames<T>(value: T, schemas: Json): T {
  return rebuild(value, (object) => {
    const { title } = object;
    if (typeof title !== "string" || !/^[A-Za-z0-9._-]+$/.test(title)) return object;
    const { examples: _, ...schema } = object;
    schemas[title] ??= schema;
    // A different schema with the same title stays in place.
    return Bun.deepEquals(schemas[title], schema) ? { $ref: `#/components/schemas/${title}` } : object;
  });
}
