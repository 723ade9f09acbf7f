import { isLocalHost } from "../config/loopback";
import { problemResponse } from "./problem";

/**
 * Bun leaves the origin out of the URL of a request without a Host, as HTTP/1.0 may be, or with one that is none; the router
 * would take a part of the path for it. Completes the former, and answers 400 to the latter (RFC 9112, 3.2).
 */
export function completeUrl(request: Request): Response | undefined {
  if (!request.url.startsWith("/")) return undefined;
  if (request.headers.get("host") !== null) return problemResponse(request, 400, { detail: "The Host of the request is not valid." });
  Object.defineProperty(request, "url", { value: `http://localhost${request.url}` });
  return undefined;
}

/**
 * Returns a check of a request's host: 400 for two of them (RFC 9112, 3.2), 421 for a name that is neither local nor
 * allowed. A page of another site can have its own name lead to this machine (DNS rebinding), and would be of one origin with
 * an API there; but the name is in the request.
 *
 * @param allowed names in lower case; null: any.
 */
export function checkHost(allowed: readonly string[] | null): (request: Request) => Response | undefined {
  const names = allowed && new Set(allowed);
  let known: string | null = null;
  return (request) => {
    const host = request.headers.get("host");
    // Nearly every request has the name of the one before.
    if (host === known) return undefined;
    if (host?.includes(",")) return problemResponse(request, 400, { detail: "The request has more than one Host." });
    if (names === null || host === null || isLocalHost(host) || names.has(host.toLowerCase().replace(/:\d*$/, ""))) {
      known = host;
      return undefined;
    }
    const detail =
      "This name is not one that requests may come for. ALLOWED_HOSTS lists them; without tokens, `localhost` and IP addresses do.";
    return problemResponse(request, 421, { detail });
  };
}
