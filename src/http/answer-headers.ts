import { compressible } from "./compression";
import type { CrossOrigin } from "./cross-origin";
import { completeRateLimit } from "./rate-limit";
import { lastRequestIdOf } from "./request-id";

const security = {
  // For data. HTML pages such as Swagger UI set their own policy.
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
const securityHeaders = Object.entries(security);

const notKept = "no-store";
const checkedEachTime = "private, no-cache";
/** Built once, because copying them is faster than setting each header. */
const jsonHeaders = new Headers({ "content-type": "application/json", ...security, "cache-control": notKept });
const taggedHeaders = new Headers({ "content-type": "application/json", ...security, "cache-control": checkedEachTime });

const isComplete = Symbol("is complete");
type Answer = Response & { [isComplete]?: boolean };

/** Returns a JSON response from text that is already JSON, with the fixed headers that {@link completeHeaders} would add. */
export function jsonResponse(text: string, status: number, { etag, ...own }: Readonly<Record<string, string>> = {}): Response {
  const response: Answer = new Response(text, { status, headers: etag === undefined ? jsonHeaders : taggedHeaders });
  if (etag !== undefined) response.headers.set("etag", etag);
  for (const name in own) response.headers.set(name, own[name] as string);
  response[isComplete] = true;
  return etag === undefined ? compressible(response, text) : response;
}

/**
 * Adds the common headers to a response: request id, security headers, CORS, rate limit and `Cache-Control`. It does not
 * replace security headers or `Cache-Control` of the route. A response with an `ETag` may be stored by the client, which
 * must revalidate it before each use. A response without one must not be stored.
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
