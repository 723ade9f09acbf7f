import type { TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { limitedBody } from "./limited-body";
import { describeMistakes, HttpProblem, type Problem } from "./problem";

/** The largest body that is read, in bytes. */
export const maxBodyBytes = 1024 * 1024;
/** Deeper JSON is no record of anybody's, and what walks through it later would take seconds, or run out of stack. */
const maxDepth = 64;

/**
 * Parses and checks a JSON body, and only under the media types given: a form or plain text, which a page of another
 * site can send without asking, is refused. Checked here and not by Elysia, which takes whatever is no object for an
 * empty one, and writes the whole body into its error.
 */
export function jsonBody(schema: TSchema, ...accepted: readonly string[]) {
  const read = jsonReader(schema);
  return async ({ request }: { request: Request }): Promise<unknown> => {
    acceptedType(request, accepted);
    return read(await readBytes(request));
  };
}

/** The media type of the body, which must be one of those given. */
export function acceptedType(request: Request, accepted: readonly string[]): string {
  const contentType = request.headers.get("content-type")?.split(";", 1)[0]?.trim() ?? "";
  if (accepted.includes(contentType.toLowerCase())) return contentType.toLowerCase();
  throw new HttpProblem(
    415,
    `Send the body as ${accepted.join(" or ")}${contentType ? `, not as ${contentType}` : ", and say so in Content-Type"}.`,
  );
}

/**
 * Parses and checks the bytes of one JSON text.
 *
 * @param what the text is, for the problem that it may have.
 */
export function jsonReader(schema: TSchema, what = "body"): (bytes: Uint8Array) => unknown {
  const check = TypeCompiler.Compile(schema);
  const invalid = (mistakes: Problem["errors"]) => new HttpProblem(422, `The ${what} is not valid.`, mistakes);
  return (bytes) => {
    const value = parse(decode(bytes, what), what);
    if (isDeeperThan(maxDepth, value)) throw invalid([{ pointer: "", detail: `It is nested too deeply; ${maxDepth} levels are read.` }]);
    if (!check.Check(value)) throw invalid(describeMistakes(check.Errors(value)));
    return value;
  };
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  // Nothing comes beyond what is declared; to read it in one go is the faster way.
  if (declared !== null && Number(declared) <= maxBodyBytes) return request.bytes();
  return Buffer.concat(await Array.fromAsync(limitedBody(request, maxBodyBytes, "A body")));
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    // `request.text()` would put U+FFFD for what it cannot read, and so change what was sent.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem(400, `The ${what} is not valid UTF-8.`);
  }
}

function parse(text: string, what: string): unknown {
  if (text.trim() === "") throw new HttpProblem(400, `The ${what} is empty; send a JSON object.`);
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(400, `The ${what} is not valid JSON.`);
  }
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}
