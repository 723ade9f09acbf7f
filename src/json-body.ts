import type { TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { describeMistakes, HttpProblem } from "./problem";

/**
 * Parses and checks a JSON body, and only under the media types given: a form or plain text, which a page of another
 * site can send without asking, is refused. Checked here and not by Elysia, which writes the whole body into its error,
 * and overflows the stack when that is nested deep.
 */
export function jsonBody(schema: TSchema, ...accepted: readonly string[]) {
  const check = TypeCompiler.Compile(schema);
  return async ({ request, contentType }: { request: Request; contentType: string }): Promise<unknown> => {
    if (!accepted.includes(contentType.toLowerCase())) {
      throw new HttpProblem(
        415,
        `Send the body as ${accepted.join(" or ")}${contentType ? `, not as ${contentType}` : ", and say so in Content-Type"}.`,
      );
    }
    const body = parse(decode(await request.bytes()));
    if (!check.Check(body)) throw new HttpProblem(422, "The body is not valid.", describeMistakes(check.Errors(body)));
    return body;
  };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpProblem(400, "The body is not valid UTF-8.");
  }
}

function parse(text: string): unknown {
  if (text.trim() === "") throw new HttpProblem(400, "The body is empty; send a JSON object.");
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(400, "The body is not valid JSON.");
  }
}
