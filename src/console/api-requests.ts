import type { Config } from "../config/config";
import { problemResponse } from "../http/problem";
import { tokenOf } from "./session";

const prefix = "/console/api";
/** A page of another origin cannot send this header without a preflight, which never allows it. */
export const pageHeader = "x-warren-console";

/**
 * Returns a function that turns a request of the console's page into one to the API: `/console/api/items` becomes `/items`, with the token
 * of the page's session. It then passes the same checks as any other request, so the token's scopes hold. Other requests stay as they
 * are. Returns a response to a request that it refuses.
 *
 * A request without a session keeps its own `Authorization`, which a proxy that signs users in may have added.
 */
export function consoleRequests({ console: mode, apiTokens }: Pick<Config, "console" | "apiTokens">) {
  return (request: Request): Response | undefined => {
    if (mode === "off" || !request.url.includes(prefix)) return undefined;
    const url = new URL(request.url);
    if (!url.pathname.startsWith(`${prefix}/`)) return undefined;
    if (!isOfPage(request))
      return problemResponse(request, 403, { detail: "Only the console's own page may use this address. Use the API itself." });
    if (mode === "read" && request.method !== "GET" && request.method !== "HEAD") {
      return problemResponse(request, 403, { detail: "The console only shows: CONSOLE=read." });
    }
    const token = tokenOf(request, apiTokens);
    if (token !== undefined) request.headers.set("authorization", `Bearer ${token}`);
    request.headers.delete("cookie");
    url.pathname = url.pathname.slice(prefix.length);
    Object.defineProperty(request, "url", { value: url.href });
    return undefined;
  };
}

/**
 * Returns whether the console's own page has sent a request. The cookie alone does not say so: the browser also sends it for a page of
 * another port of this host. Browsers name the sender's site only to an address that they trust, such as https and localhost, so the
 * page adds a header of its own.
 */
function isOfPage({ headers }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  return headers.get(pageHeader) !== null && (site === null || site === "same-origin");
}
