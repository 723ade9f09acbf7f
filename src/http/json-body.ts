import { type Static, type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { documentedAs } from "../schema/documented";
import { inexact } from "../schema/exact-json";
import { isDeeperThan, maxDepth, tooDeep } from "../schema/json-depth";
import { describeMistakes } from "../schema/mistakes";
import { limitedBody } from "./limited-body";
import { invalid } from "./mistakes";
import { HttpProblem } from "./problem";
import { refuseQuery } from "./query";

/** Of a charset; the second is none, but common. */
const utf8Names = /^("?)utf-?8\1$/;

/** The largest body that is read, in bytes. */
export const maxBodyBytes = 1024 * 1024;

/**
 * The options of a route that takes JSON and no query: `{ ...jsonBody(schema, "application/json"), response, … }`. The body
 * is read only under the media types given: a form or plain text, which a page of another site can send without asking, is
 * refused. Read and checked here and not by Elysia, which makes a stream of it, takes whatever is no object for an empty
 * one, and writes the whole body into its error.
 */
export function jsonBody<Schema extends TSchema>(schema: Schema, ...accepted: readonly string[]) {
  const read = jsonReader(schema);
  return {
    // What it is to a client; it has been checked when Elysia sees it.
    body: Type.Any({ [documentedAs]: schema }) as unknown as TUnsafe<Static<Schema>>,
    parse: "none" as const,
    // Elysia looks at the text of this: were the context itself handed on, it would prepare all that a context may have.
    transform: async (context: { request: Request; body: unknown }): Promise<void> => {
      const { request } = context;
      refuseQuery({ request });
      checkMediaType(request, accepted);
      context.body = read(await readBytes(request));
    },
  };
}

/**
 * Parses and checks the bytes of one JSON text.
 *
 * @param what the text is, for the problem that it may have.
 */
export function jsonReader(schema: TSchema, what = "body"): (bytes: Uint8Array) => unknown {
  const check = TypeCompiler.Compile(schema);
  return (bytes) => {
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
 * Returns the media type of a body, one of those accepted.
 *
 * @throws {HttpProblem} 415 that says what is accepted, in its headers as well (RFC 9110, 15.5.16).
 */
export function checkMediaType({ headers, method }: Request, accepted: readonly string[]): string {
  const contentType = headers.get("content-type") ?? "";
  const coding = headers.get("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") {
    throw unsupported("Send the body without a Content-Encoding.", { "accept-encoding": "identity" });
  }
  // The usual case needs no looking into.
  if (accepted.includes(contentType)) return contentType;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const accept = accepted.join(", ");
  if (!accepted.includes(type)) {
    const sent = type === "" ? ", and say so in Content-Type" : `, not as ${type.slice(0, 100)}`;
    // RFC 5789, 2.2.
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

async function readBytes(request: Request): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  // Nothing comes beyond what is declared; to read it in one go is the faster way.
  if (declared !== null && Number(declared) <= maxBodyBytes) return request.bytes();
  return Buffer.concat(await Array.fromAsync(limitedBody(request, maxBodyBytes, "A body")));
}

// `request.text()` would put U+FFFD for what it cannot read, and so change what was sent.
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
