import { HttpProblem } from "./problem";

/**
 * Parses a JSON body, and only under the media types given: a form or plain text, which a page of another site can
 * send without asking, is refused.
 */
export function jsonBody(...accepted: readonly string[]) {
  return async ({ request, contentType }: { request: Request; contentType: string }): Promise<unknown> => {
    if (!accepted.includes(contentType.toLowerCase())) {
      throw new HttpProblem(
        415,
        `Send the body as ${accepted.join(" or ")}${contentType ? `, not as ${contentType}` : ", and say so in Content-Type"}.`,
      );
    }
    const text = await request.text();
    if (text.trim() === "") throw new HttpProblem(400, "The body is empty; send a JSON object.");
    try {
      return JSON.parse(text);
    } catch {
      throw new HttpProblem(400, "The body is not valid JSON.");
    }
  };
}
