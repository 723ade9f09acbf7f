import type { CrossOrigin } from "./cross-origin";
import { lastRequestIdOf } from "./request-id";

const security = {
  // For data. A page for people, such as Swagger UI, brings a policy of its own.
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
const securityHeaders = Object.entries(security);

/** For an answer in JSON. Made once: to copy these is 1 µs faster than to set them one by one. */
export const jsonHeaders = new Headers({ "content-type": "application/json", ...security });

/**
 * Puts on every answer what belongs on each: the id of the request, the security headers, CORS, and `Cache-Control`. What a
 * route has set itself stays. With an `ETag` a client may keep the answer, and asks each time whether it still holds;
 * without, nobody keeps it.
 */
export function completeHeaders(crossOrigin: CrossOrigin, request: Request, response: Response): Response {
  const { headers } = response;
  headers.set("x-request-id", lastRequestIdOf(request));
  for (const [name, value] of securityHeaders) if (!headers.has(name)) headers.set(name, value);
  if (!headers.has("cache-control")) {
    headers.set("cache-control", headers.has("etag") && response.status < 400 ? "private, no-cache" : "no-store");
  }
  crossOrigin.complete(request, headers);
  return response;
}
