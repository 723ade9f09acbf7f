import { compressible } from "./compression";
import type { CrossOrigin } from "./cross-origin";
import { completeRateLimit } from "./rate-limit";
import { lastRequestIdOf } from "./request-id";

const security = {
  // For data. A page for people, such as Swagger UI, brings a policy of its own.
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
const securityHeaders = Object.entries(security);

const notKept = "no-store";
const checkedEachTime = "private, no-cache";
/** Made once: to copy these is 1 µs faster than to set them one by one. */
const jsonHeaders = new Headers({ "content-type": "application/json", ...security, "cache-control": notKept });
const taggedHeaders = new Headers({ "content-type": "application/json", ...security, "cache-control": checkedEachTime });

const isComplete = Symbol("is complete");
type Answer = Response & { [isComplete]?: boolean };

/** An answer in JSON, from text that is JSON already, with what {@link completeHeaders} would put on it. */
export function jsonResponse(text: string, status: number, { etag, ...own }: Readonly<Record<string, string>> = {}): Response {
  const response: Answer = new Response(text, { status, headers: etag === undefined ? jsonHeaders : taggedHeaders });
  if (etag !== undefined) response.headers.set("etag", etag);
  for (const name in own) response.headers.set(name, own[name] as string);
  response[isComplete] = true;
  return etag === undefined ? compressible(response, text) : response;
}

/**
 * Puts on every answer what belongs on each: the id of the request, the security headers, CORS, what is left of the client's
 * rate, and `Cache-Control`. What a
 * route has set itself stays. With an `ETag` a client may keep the answer, and asks each time whether it still holds;
 * without, nobody keeps it.
 */
export function completeHeaders(crossOrigin: CrossOrigin, request: Request, response: Response): Response {
  const { headers } = response;
  headers.set("x-request-id", lastRequestIdOf(request));
  if (!(response as Answer)[isComplete]) {
    for (const [name, value] of securityHeaders) if (!headers.has(name)) headers.set(name, value);
    if (!headers.has("cache-control")) {
      headers.set("cache-control", headers.has("etag") && response.status < 400 ? checkedEachTime : notKept);
    }
  }
  crossOrigin.complete(request, headers);
  completeRateLimit(request, headers);
  return response;
}
