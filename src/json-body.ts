import type { TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { inexact } from "./json-text";
import { describeMistakes, invalid } from "./mistakes";
import { HttpProblem } from "./problem";

/** The largest body that is read, in bytes. */
export const maxBodyBytes = 1024 * 1024;

/**
 * Parses and checks a JSON body, and only under the media types given: a form or plain text, which a page of another
 * site can send without asking, is refused. Checked here and not by Elysia, which takes whatever is no object for an
 * empty one, and writes the whole body into its error.
 */
export function jsonBody(schema: TSchema, ...accepted: readonly string[]) {
  const check = TypeCompiler.Compile(schema);
  return async ({ request }: { request: Request }): Promise<unknown> => {
    checkMediaType(request.headers, accepted);
    const text = await readText(request);
    const body = parse(text);
    const mistakes = inexact(text, body);
    if (mistakes.length === 0 && check.Check(body)) return body;
    const places = new Set(mistakes.map(({ pointer }) => pointer));
    // A body that is nested too deeply is not looked into any further.
    if (places.has("")) throw invalid("body", mistakes);
    throw invalid("body", [...mistakes, ...describeMistakes(check.Errors(body)).filter(({ pointer }) => !places.has(pointer))]);
  };
}

function checkMediaType(headers: Headers, accepted: readonly string[]): void {
  const contentType = headers.get("content-type") ?? "";
  const coding = headers.get("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") throw new HttpProblem(415, "Send the body without a Content-Encoding.");
  // The usual case needs no looking into.
  if (accepted.includes(contentType)) return;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  if (!accepted.includes(type)) {
    const sent = type === "" ? ", and say so in Content-Type" : `, not as ${type.slice(0, 100)}`;
    throw new HttpProblem(415, `Send the body as ${accepted.join(" or ")}${sent}.`);
  }
  for (const parameter of parameters) {
    const [name, value = ""] = parameter.split("=");
    if (name === "charset" && value.replace(/^"(.*)"$/, "$1") !== "utf-8") throw new HttpProblem(415, "Send the body in UTF-8.");
  }
}

async function readText(request: Request): Promise<string> {
  const tooLarge = () => new HttpProblem(413, `A body may have up to ${maxBodyBytes} bytes.`);
  if (Number(request.headers.get("content-length")) > maxBodyBytes) throw tooLarge();
  const bytes = await request.bytes();
  if (bytes.length > maxBodyBytes) throw tooLarge();
  try {
    // `request.text()` would put U+FFFD for what it cannot read, and so change what was sent.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem(400, "The body is not valid UTF-8.");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(400, text.trim() === "" ? "The body is empty; send a JSON object." : "The body is not valid JSON.");
  }
}
