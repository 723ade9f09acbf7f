import { toOpenAPIPath } from "@elysiajs/swagger/utils";
import type { Scope } from "../config/config";
import { documentedAs } from "../http/documented";
import { nameOfStatus, Problem, problemOf } from "../http/problem";

type Json = Record<string, unknown>;

export interface OpenApiDocument {
  readonly paths: Record<string, Record<string, Json>>;
  readonly components?: Json & { readonly schemas?: Json };
}

/** A route as Elysia keeps it. */
export interface DocumentedRoute {
  readonly method: string;
  readonly path: string;
  readonly hooks: { readonly body?: unknown; readonly response?: unknown; readonly detail?: Json };
}

/** What the app does before a route is reached. */
export interface Gate {
  /** The scope that a token needs, and undefined where none is needed; null: there are no tokens. */
  readonly scopeFor: ((method: string, path: string) => Scope | undefined) | null;
  readonly limitsRate: boolean;
}

/**
 * Completes the document that @elysiajs/swagger draws from the routes. The plugin says JSON, form or text of every body
 * and answer, loses titles, examples and `additionalProperties`, overwrites a route's own `requestBody`, leaves answers
 * without the description that OpenAPI asks for, and does not know what the app answers before a route is reached.
 */
export function completeDocument<Drawn extends OpenApiDocument>(drawn: Drawn, routes: readonly DocumentedRoute[], gate: Gate): Drawn {
  const schemas: Json = { ...drawn.components?.schemas };
  const paths: Record<string, Json> = Object.fromEntries(
    Object.entries(drawn.paths).map(([path, operations]) => [path, { ...operations }]),
  );
  for (const route of routes) {
    const operations = paths[toOpenAPIPath(route.path)];
    const operation = operations?.[route.method.toLowerCase()] as Json | undefined;
    if (operations && operation) operations[route.method.toLowerCase()] = withNames(completeOperation(operation, route, gate), schemas);
  }
  return { ...drawn, paths, components: { ...drawn.components, schemas } };
}

function completeOperation(operation: Json, { method, path, hooks }: DocumentedRoute, gate: Gate): Json {
  const { requestBody, responses } = (hooks.detail ?? {}) as { requestBody?: Json; responses?: Record<string, Json> };
  const scope = gate.scopeFor?.(method, path);
  const answers: Record<string, Json> = Object.fromEntries(
    Object.entries(schemasByStatus(hooks.response)).map(([status, schema]) => [status, answer(status, schema)]),
  );
  if (!hooks.response && !responses) answers["200"] = answer("200", undefined);
  if (scope) answers["401"] = answer("401", Problem);
  // Every token may read; a change may be sent by a web page of another origin.
  if (scope === "admin" || method !== "GET") answers["403"] = answer("403", Problem);
  if (hooks.body) answers["413"] = answer("413", Problem);
  if (gate.limitsRate) answers["429"] = answer("429", Problem);
  answers["500"] = answer("500", Problem);
  for (const [status, own] of Object.entries(responses ?? {})) answers[status] = { ...answers[status], ...own };
  return {
    ...operation,
    ...(Array.isArray(operation["parameters"]) && { parameters: operation["parameters"].map(completeParameter) }),
    ...(gate.scopeFor && !scope && { security: [] }),
    ...(isObject(hooks.body) && { requestBody: completeBody(requestBody, hooks.body) }),
    responses: answers,
  };
}

function completeParameter({ schema, examples, ...parameter }: Json): Json {
  const { [documentedAs]: documented, ...checked } = schema as Json;
  const { examples: own, ...shown } = (documented ?? checked) as Json;
  const [example] = [own, examples].find(Array.isArray) ?? [];
  return { ...parameter, schema: shown, ...(example !== undefined && { example: example as unknown }) };
}

function completeBody(own: Json = {}, body: Json): Json {
  const schema = (body[documentedAs] ?? body) as Json;
  const content = (own["content"] ?? { "application/json": {} }) as Record<string, Json>;
  const completed = Object.entries(content).map(([type, described]) => [type, { ...media(schema), ...described }]);
  return { required: true, ...own, content: Object.fromEntries(completed) };
}

/** A schema alone is that of 200. */
function schemasByStatus(response: unknown): Record<string, unknown> {
  if (!isObject(response)) return {};
  return Object.keys(response).every((key) => /^\d{3}$/.test(key)) ? response : { 200: response };
}

function answer(status: string, schema: unknown): Json {
  if (!isObject(schema)) return { description: nameOfStatus(status) ?? status };
  if (schema["title"] === Problem.title) {
    const example = problemOf(Number(status), "019ab790-8c6e-7000-a9c7-a7d37be9ec58");
    return { description: example.title, content: { "application/problem+json": { schema, example } } };
  }
  const described = { description: schema["description"] ?? nameOfStatus(status) ?? status };
  if (["undefined", "void", "null"].includes(String(schema["type"]))) return described;
  return { ...described, content: { [schema["type"] === "string" ? "text/plain" : "application/json"]: media(schema) } };
}

function media(schema: Json): Json {
  const { examples, ...rest } = schema;
  return { schema: rest, ...(Array.isArray(examples) && { example: examples[0] as unknown }) };
}

/** Keys whose values are data, in which a `title` is no name. */
const data = new Set(["example", "examples", "default", "const", "enum"]);

/** Moves each schema with a title to `schemas`, under that name, and leaves a reference to it. */
function withNames<T>(value: T, schemas: Json): T {
  if (Array.isArray(value)) return value.map((one: unknown) => withNames(one, schemas)) as T;
  if (!isObject(value)) return value;
  const named = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, data.has(key) ? one : withNames(one, schemas)]));
  const { title } = named;
  if (typeof title !== "string" || !/^[A-Za-z0-9._-]+$/.test(title)) return named as T;
  const { examples: _, ...schema } = named;
  schemas[title] ??= schema;
  // Another schema of the same title stays where it is.
  return (Bun.deepEquals(schemas[title], schema) ? { $ref: `#/components/schemas/${title}` } : named) as T;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
