import { type Static, type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { checkOf } from "../schema/check";
import { documentedAs } from "../schema/documented";
import { inexact } from "../schema/exact-json";
import { isDeeperThan, maxDepth, tooDeep } from "../schema/json-depth";
import { describeMistakes } from "../schema/mistakes";
import { limitedBody } from "./limited-body";
import { invalid } from "./mistakes";
import { HttpProblem } from "./problem";
import { refuseQuery } from "./query";

/** Accepted values of a charset. `utf8` is not a registered name, but it is common. */
const utf8Names = /^("?)utf-?8\1$/;

/** Maximum size of a body, in bytes. */
export const maxBodyBytes = 1024 * 1024;

/**
 * Returns the options of a route that accepts a JSON body and no query:
 * `{ ...jsonBody(schema, "application/json"), response, … }`. Only the given media types are accepted. Forms and plain text
 * are refused, because a page of another site can send them without a preflight.
 *
 * Elysia does not read the body itself. It would make a stream of it, take anything that is not an object for an empty
 * one, and write the whole body into its error.
 *
 * An invalid request is refused with a problem:
 *
 * - 400: the body is not JSON in UTF-8.
 * - 413: the body is larger than {@link maxBodyBytes} (1 MiB).
 * - 415: the media type, charset or content coding is not accepted.
 * - 422: the request has a query, or the body does not match the schema.
 *
 * @param schema the schema that the body must match.
 * @param accepted the accepted media types.
 */
export function jsonBody<Schema extends TSchema>(schema: Schema, ...accepted: readonly string[]) {
  return limitedJsonBody(maxBodyBytes, schema, ...accepted);
}

/** Returns the options as {@link jsonBody} does, for a body of up to `maxBytes`. */
export function limitedJsonBody<Schema extends TSchema>(maxBytes: number, schema: Schema, ...accepted: readonly string[]) {
  const read = jsonReader(schema);
  return {
    // For the documentation and the client's types. The body is already checked when Elysia sees it.
    body: Type.Any({ [documentedAs]: schema }) as unknown as TUnsafe<Static<Schema>>,
    parse: "none" as const,
    // Elysia inspects the source of this function. If it passed on the context itself, Elysia would prepare every property of it.
    transform: async (context: { request: Request; body: unknown }): Promise<void> => {
      const { request } = context;
      refuseQuery({ request });
      checkMediaType(request, accepted);
      context.body = read(await readBytes(request, maxBytes));
    },
  };
}

/**
 * Returns a function that parses and checks the bytes of one JSON text. It throws an {@link HttpProblem}: 400 if the text is
 * not JSON in UTF-8, and 422 if the value is nested too deeply, is not I-JSON (RFC 7493) or does not match the schema.
 *
 * @param what names the text in the problem's detail.
 */
export function jsonReader(schema: TSchema, what = "body"): (bytes: Uint8Array) => unknown {
  return (bytes) => {
    // Compiled for the first body, since most routes of a service get none for a long time.
    const check = checkOf(schema);
    const text = decode(bytes, what);
    if (isDeeperThan(maxDepth, text)) throw invalid(what, [{ pointer: "", detail: tooDeep(maxDepth) }]);
    const value = parse(text, what);
    const mistakes = inexact(text, value);
    if (mistakes.length === 0 && check.Check(value)) return value;
    const places = new Set(mistakes.map(({ pointer }) => pointer));
    throw invalid(what, [...mistakes, ...describeMistakes(check.Errors(value)).filter(({ pointer }) => !places.has(pointer))]);
  };
}

/**
 * Returns the media type of a body, which is one of those accepted.
 *
 * @throws {HttpProblem} 415 for another media type, a content coding, or a charset other than UTF-8. The problem and its
 * headers name what is accepted (RFC 9110, section 15.5.16).
 */
export function checkMediaType({ headers, method }: Request, accepted: readonly string[]): string {
  const contentType = headers.get("content-type") ?? "";
  const coding = headers.get("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") {
    throw unsupported("Send the body without a Content-Encoding.", { "accept-encoding": "identity" });
  }
  // The usual case needs no parsing.
  if (accepted.includes(contentType)) return contentType;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const accept = accepted.join(", ");
  if (!accepted.includes(type)) {
    const sent = type === "" ? ", with a matching Content-Type" : `, not as ${type.slice(0, 100)}`;
    // RFC 5789, section 2.2.
    const patches = method === "PATCH" ? { "accept-patch": accept } : undefined;
    throw unsupported(`Send the body as ${accepted.join(" or ")}${sent}.`, { accept, ...patches });
  }
  for (const parameter of parameters) {
    const [name, value = ""] = parameter.split("=");
    if (name === "charset" && !utf8Names.test(value)) throw unsupported("Send the body in UTF-8.", { accept });
  }
  return type;
}

function unsupported(detail: string, headers: Readonly<Record<string, string>>): HttpProblem {
  const problem = new HttpProblem(415, detail);
  problem.headers = headers;
  return problem;
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  // The body cannot exceed the declared length, and reading it at once is faster.
  if (declared !== null && Number(declared) <= maxBytes) return request.bytes();
  return Buffer.concat(await Array.fromAsync(limitedBody(request, maxBytes, "A body")));
}

// `request.text()` would replace invalid bytes with U+FFFD, and so change the data.
const utf8 = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new HttpProblem(400, `The ${what} is not valid UTF-8.`);
  }
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(400, text.trim() === "" ? `The ${what} is empty; send a JSON object.` : `The ${what} is not valid JSON.`);
  }
}
