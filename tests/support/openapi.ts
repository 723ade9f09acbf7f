// Reads the OpenAPI document for tests: what a client may send, and what it may receive.
import { type JsonSchema, resolved } from "./json-schema";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: JsonSchema;
}

export interface Media {
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface DeclaredAnswer {
  /** Content by media type; empty if the response has no body. */
  readonly content: ReadonlyMap<string, Media>;
  /** Headers that are always present. */
  readonly headers: readonly { readonly name: string; readonly schema: JsonSchema }[];
}

export interface Operation {
  /** Method and path, such as `PATCH /items/{id}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Bodies by media type; empty if the operation accepts none. */
  readonly bodies: ReadonlyMap<string, Media>;
  readonly answers: ReadonlyMap<number, DeclaredAnswer>;
  readonly needsToken: boolean;
}

type Content = Record<string, Partial<Media>> | undefined;
interface RawOperation {
  parameters?: (Omit<Parameter, "required"> & { required?: boolean })[];
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content; headers?: Record<string, { required?: boolean; schema: JsonSchema }> }>;
  security?: object[];
}
export interface OpenApi {
  readonly paths: Record<string, Record<string, RawOperation>>;
  readonly components?: { schemas?: Record<string, JsonSchema> };
  readonly security?: object[];
}

/** Returns whether a route comes with Warren. Routes that a project adds are tested there. */
export function isOwn({ path }: { path: string }): boolean {
  return /^\/(dead-letters|events|health|items|metrics|replays)(\/|$)/.test(path);
}

export function operationsOf(document: OpenApi): Operation[] {
  const { paths, security = [] } = resolved(document, document);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const answers = Object.entries(operation.responses).map(([status, { content, headers }]): [number, DeclaredAnswer] => [
        Number(status),
        {
          content: mediaOf(content),
          headers: Object.entries(headers ?? {}).flatMap(([name, { required, schema }]) => (required ? [{ name, schema }] : [])),
        },
      ]);
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters: (operation.parameters ?? []).map((parameter) => ({ required: false, ...parameter })),
        bodies: mediaOf(operation.requestBody?.content),
        answers: new Map(answers),
        needsToken: isNeeded(operation.security ?? security),
      };
    }),
  );
  return operations;
}

/** Returns whether a token is required. One of several requirements is enough, and an empty one requires nothing. */
function isNeeded(security: readonly object[]): boolean {
  return security.length > 0 && security.every((requirement) => Object.keys(requirement).length > 0);
}

function mediaOf(content: Content): Map<string, Media> {
  return new Map(Object.entries(content ?? {}).map(([type, media]) => [type, { schema: {}, ...media }]));
}
