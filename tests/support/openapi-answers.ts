// Sends a planned request, and compares the response with the OpenAPI document.
import { curlCommand, type SentRequest } from "./curl-command";
import { checkOf, type JsonSchema } from "./json-schema";
import type { DeclaredAnswer } from "./openapi";
import type { Body } from "./openapi-bodies";
import type { Known } from "./openapi-known";
import { checkText, type Part, type Plan } from "./openapi-requests";

/** Operations that may refuse a valid request with 422, for reasons that its schema cannot express. */
const beyondSchema: Record<string, string> = {
  "DELETE /dead-letters/{queue}": "either filters or `all=true`, not both and not neither",
  "POST /replays": "the times must be times, one before the other, and the types of events must be known",
  "GET /items": "`updatedSince` must be a time",
  "GET /events": "the types of events must be known, and an `id` needs its `resource`",
  "GET /events/stream": "as GET /events",
};
/** Operations that may accept an invalid body, since each part is validated separately. */
const judgedInParts = ["POST /items/bulk"];

export class Client {
  constructor(
    readonly url: string,
    readonly tokens: { readonly right?: string; readonly limited?: string },
    readonly known: Known,
  ) {}

  /** @returns The status, the difference from the document, and the request as a curl command. */
  async send(plan: Plan): Promise<{ status: number; mistake: string | undefined; curl: string }> {
    const { path, request } = this.#request(plan);
    const { method, url, headers, body } = request;
    const response = await fetch(url, { method, headers: headers as [string, string][], redirect: "manual", ...(body && { body }) });
    const { status } = response;
    const answer = await read(response);
    const mistake = mistakeOf(plan, response, answer);
    if (response.ok) this.known.learn(path, answer.json, response.headers.get("etag"));
    if (status === 404 || (response.ok && method === "DELETE")) {
      for (const { name, text } of this.#filled(plan.path, plan)) this.known.forget(path, name, text);
    }
    return {
      status,
      mistake: mistake && `${method} ${path} answers ${status}: ${mistake}\n${answer.text.slice(0, 1000)}`,
      curl: curlCommand(request),
    };
  }

  #request(plan: Plan): { path: string; request: SentRequest } {
    const { operation } = plan;
    const values = new Map(this.#filled(plan.path, plan).map(({ name, text }) => [name, text]));
    const path = operation.path.replace(/\{([^}]+)\}/g, (_, name: string) => encode(values.get(name) ?? ""));
    const query = this.#filled(plan.query, plan).map(({ name, text }) => `${encode(name)}=${encode(text)}`);
    const headers = plan.headers.map(([name, value]): [string, string] => {
      const wantsTag = /^if-(none-)?match$/i.test(name) && plan.known % 2 === 0;
      return [name, (wantsTag && this.known.etag(path)) || value];
    });
    const token = { ...this.tokens, wrong: "not-a-token-of-this-service", none: undefined }[plan.token];
    if (token) headers.push(["authorization", `Bearer ${token}`]);
    if (plan.body?.type !== undefined) headers.push(["content-type", plan.body.type]);
    const body = plan.body && this.#bytes(path, plan.body, plan.known);
    const url = `${this.url}${path}${query.length > 0 ? `?${query.join("&")}` : ""}`;
    return { path, request: { method: operation.method, url, headers, ...(body && { body }) } };
  }

  #bytes(path: string, { schema, content }: Body, known: number): Uint8Array<ArrayBuffer> {
    if ("bytes" in content) return new Uint8Array(content.bytes);
    if ("spaces" in content) return new Uint8Array(content.spaces).fill(0x20);
    const value = this.known.put(path, schema, content.json, known);
    const isText = schema.type === "string" && typeof value === "string";
    return new TextEncoder().encode(isText ? value : JSON.stringify(value));
  }

  #filled(parts: readonly Part[], { operation }: Plan): { name: string; text: string }[] {
    return parts.map(({ name, text, known }) => {
      const value = known === undefined ? undefined : this.known.value(operation.path, name, known);
      const schema = operation.parameters.find((parameter) => parameter.name === name)?.schema ?? {};
      return { name, text: value !== undefined && checkText(schema, value) === undefined ? value : text };
    });
  }
}

interface Answer {
  readonly text: string;
  readonly json?: unknown;
}

/** Reads a response. A stream of events does not end by itself, so only its head is read. */
async function read(response: Response): Promise<Answer> {
  if (mediaTypeOf(response) === "text/event-stream") {
    await response.body?.cancel();
    return { text: "" };
  }
  const text = await response.text();
  try {
    return { text, json: JSON.parse(text) as unknown };
  } catch {
    return { text };
  }
}

function mistakeOf({ operation, sure, headers }: Plan, response: Response, answer: Answer): string | undefined {
  const { status } = response;
  const { name } = operation;
  const declared = operation.answers.get(status);
  if (!declared) return "this status is not declared";
  if (status >= 500) return "a server error";
  if (sure === "refused" && status < 400 && !judgedInParts.includes(name)) return "what the document does not allow was taken";
  // A header can ask for something impossible, such as a key already used with another body.
  const mayBe422 = headers.length > 0 || name in beyondSchema;
  if (sure === "taken" && [400, 401, 403, 405, 413, 415, 422].includes(status) && !(status === 422 && mayBe422)) {
    return "what the document allows was refused";
  }
  return mistakeOfBody(declared, response, answer) ?? mistakeOfHeaders(declared, response);
}

function mistakeOfBody({ content }: DeclaredAnswer, response: Response, { text, json }: Answer): string | undefined {
  const type = mediaTypeOf(response);
  if (content.size === 0) return text === "" ? undefined : "it has a body, and none is declared";
  const schema = content.get(type)?.schema;
  if (!schema) return `the media type ${type || "(none)"} is not declared`;
  if (type === "text/event-stream") return undefined;
  if (schema.contentSchema) return mistakeOfLines(schema.contentSchema, text);
  if (!isJson(type)) return checkOf(schema)(text);
  if (json === undefined) return "the body is not JSON";
  if (type === "application/problem+json" && (json as { status: unknown }).status !== response.status)
    return "the problem has another status";
  return checkOf(schema)(json);
}

/** Checks NDJSON: each line is a value. */
function mistakeOfLines(schema: JsonSchema, text: string): string | undefined {
  for (const line of text.split("\n").filter(Boolean)) {
    const mistake = checkOf(schema)(JSON.parse(line));
    if (mistake) return `the line ${line.slice(0, 200)}: ${mistake}`;
  }
  return undefined;
}

function isJson(type: string): boolean {
  return /[/+]json\b/.test(type);
}

function mistakeOfHeaders({ headers }: DeclaredAnswer, response: Response): string | undefined {
  for (const { name, schema } of headers) {
    const value = response.headers.get(name);
    const mistake = value === null ? "it is missing" : checkText(schema, value);
    if (mistake) return `the header ${name}: ${mistake}`;
  }
  return undefined;
}

function mediaTypeOf(response: Response): string {
  return response.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
}

/** Encodes a text for a URL. Replaces lone surrogates, which cannot be encoded. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
