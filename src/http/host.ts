import { isLocalHost } from "../config/loopback";
import { problemResponse } from "./problem";

/**
 * Completes the URL of a request without a Host header, as HTTP/1.0 allows. Returns a 400 response if the Host is not valid
 * (RFC 9112, section 3.2). In both cases, Bun omits the origin from the URL, and the router would misread the path.
 */
export function completeUrl(request: Request): Response | undefined {
  if (!request.url.startsWith("/")) return undefined;
  if (request.headers.get("host") !== null) return problemResponse(request, 400, { detail: "The Host header is not valid." });
  Object.defineProperty(request, "url", { value: `http://localhost${request.url}` });
  return undefined;
}

/**
 * Returns a check of a request's host. The check returns a 400 response for more than one Host (RFC 9112, section 3.2), and
 * 421 for a name that is neither local nor allowed. This prevents DNS rebinding: a site can point its own name at this machine
 * to share an origin with the API, but the request carries that name.
 *
 * @param allowed names in lower case, or null to allow any name.
 */
export function checkHost(allowed: readonly string[] | null): (request: Request) => Response | undefined {
  const names = allowed && new Set(allowed);
  let known: string | null = null;
  return (request) => {
    const host = request.headers.get("host");
    // Nearly every request has the same host as the previous one.
    if (host === known) return undefined;
    if (host?.includes(",")) return problemResponse(request, 400, { detail: "The request has more than one Host header." });
    if (names === null || host === null || isLocalHost(host) || names.has(host.toLowerCase().replace(/:\d*$/, ""))) {
      known = host;
      return undefined;
    }
    const detail = "The host in this request is not allowed. Use `localhost` or an IP address, or add the name to ALLOWED_HOSTS.";
    return problemResponse(request, 421, { detail });
  };
}
