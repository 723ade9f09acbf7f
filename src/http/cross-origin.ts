import { problemResponse } from "./problem";

/** Request headers that pages of other origins may send: all that this API uses. */
const allowedHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Traceparent, X-Request-Id";
/** Response headers that pages of other origins may read: all that this API sets. */
const exposedHeaders = "Allow, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";

/** How long a browser may cache the result of a preflight request, in seconds. */
const preflightSeconds = 600;

/**
 * CORS per the Fetch standard: decides which pages of other origins can use the API. Without origins, none can, and no CORS
 * header is set. With `*`, all can. Credentials are never allowed: the API has no cookies, and pages send the token
 * themselves.
 */
export class CrossOrigin {
  readonly #origins: ReadonlySet<string>;
  readonly #all: boolean;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
    this.#all = this.#origins.has("*");
  }

  /** Adds the CORS headers to a response. They say whether the requesting page may read it. */
  complete(request: Request, headers: Headers): void {
    if (this.#origins.size === 0) return;
    const origin = request.headers.get("origin");
    if (!this.#all) headers.append("vary", "Origin");
    if (origin === null || !this.#allows(origin)) return;
    headers.set("access-control-allow-origin", this.#all ? "*" : origin);
    headers.set("access-control-expose-headers", exposedHeaders);
  }

  /** Returns the CORS headers of the response to an OPTIONS request, which may be a preflight. */
  preflight(methods: string): Record<string, string> {
    if (this.#origins.size === 0) return {};
    return {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": allowedHeaders,
      "access-control-max-age": String(preflightSeconds),
    };
  }

  /**
   * Returns a 403 response to a change that a page of another, not allowed origin makes the browser send. Not every such
   * request has a preflight, and a page can do harm without reading the response. Browsers identify these requests with
   * `Sec-Fetch-Site`. Other clients do not send that header.
   */
  refuse(request: Request): Response | undefined {
    if (request.method === "GET" || request.method === "HEAD") return undefined;
    const site = request.headers.get("sec-fetch-site");
    if (site === null || site === "same-origin" || site === "none") return undefined;
    if (this.#allows(request.headers.get("origin") ?? "")) return undefined;
    return problemResponse(request, 403, { detail: "Cross-origin request refused. Add the page's origin to CORS_ORIGIN to allow it." });
  }

  #allows(origin: string): boolean {
    return this.#all || this.#origins.has(origin);
  }
}
