import { problemResponse } from "./problem";

/** Names that no page of another site can have: everybody's own machine, and addresses. With or without a port. */
const local = /^((.+\.)?localhost|\d+\.\d+\.\d+\.\d+|\[[\da-f:.]+\])(:\d*)?$/i;

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
 * Answers 400 to a request with two hosts (RFC 9112, 3.2), and undefined to one whose host is right.
 *
 * @param localOnly answers 421 where the host is a name that is not local. A page of another site can have its own name
 * lead to 127.0.0.1 (DNS rebinding), and would be of one origin with an API there; but the name is in the request.
 */
export function checkHost(localOnly: boolean): (request: Request) => Response | undefined {
  let known: string | null = null;
  return (request) => {
    const host = request.headers.get("host");
    // Nearly every request has the name of the one before.
    if (host === known) return undefined;
    if (host?.includes(",")) return problemResponse(request, 400, { detail: "The request has more than one Host." });
    if (!localOnly || host === null || local.test(host)) {
      known = host;
      return undefined;
    }
    const detail =
      "Without API_TOKEN, a service on a loopback address answers only to `localhost` and IP addresses. " +
      "Set API_TOKEN to a secret, or to `none` if it is meant to be open under any name.";
    return problemResponse(request, 421, { detail });
  };
}
