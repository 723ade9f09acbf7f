import { HttpProblem } from "./problem";

/**
 * Yields the bytes of a request as they arrive.
 *
 * @throws {HttpProblem} 413 if the declared length exceeds the limit, or as soon as the received bytes do.
 */
export async function* limitedBody(request: Request, maxBytes: number, what: string): AsyncGenerator<Uint8Array> {
  const tooLarge = () => new HttpProblem(413, `${what} may have at most ${maxBytes} bytes.`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge();
  let received = 0;
  for await (const chunk of request.body ?? []) {
    received += chunk.length;
    if (received > maxBytes) throw tooLarge();
    yield chunk;
  }
}
