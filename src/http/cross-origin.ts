import { problemResponse } from "./problem";

/** What pages of other origins may send and read; all that this API knows. */
const allowedHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Traceparent, X-Request-Id";
const exposedHeaders = "Allow, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";

/** How long a browser may remember what a path allows, in seconds. */
const preflightSeconds = 600;

/**
 * CORS, as the Fetch standard has it: which pages of other origins may use the API. No origins: none may, and no answer
 * says a word of it. `*`: all may. Never with cookies, of which there are none; a token is sent by the page itself.
 */
export class CrossOrigin {
  readonly #origins: ReadonlySet<string>;
  readonly #all: boolean;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
    this.#all = this.#origins.has("*");
  }

  /** Adds to the headers of an answer whether the page that asked may read it. */
  complete(request: Request, headers: Headers): void {
    if (this.#origins.size === 0) return;
    const origin = request.headers.get("origin");
    if (!this.#all) headers.append("vary", "Origin");
    if (origin === null || !this.#allows(origin)) return;
    headers.set("access-control-allow-origin", this.#all ? "*" : origin);
    headers.set("access-control-expose-headers", exposedHeaders);
  }

  /** The headers of an answer to OPTIONS, of which a preflight is one. */
  preflight(methods: string): Record<string, string> {
    if (this.#origins.size === 0) return {};
    return {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": allowedHeaders,
      "access-control-max-age": String(preflightSeconds),
    };
  }

  /**
   * Answers 403 to a change that a page of another origin has the browser send: not every such request has a preflight,
   * and the page need not read the answer to have done harm. Browsers say so (`Sec-Fetch-Site`); other clients do not.
   */
  refuse(request: Request): Response | undefined {
    if (request.method === "GET" || request.method === "HEAD") return undefined;
    const site = request.headers.get("sec-fetch-site");
    if (site === null || site === "same-origin" || site === "none") return undefined;
    if (this.#allows(request.headers.get("origin") ?? "")) return undefined;
    return problemResponse(request, 403, { detail: "A web page of another origin sent this. CORS_ORIGIN names those that may." });
  }

  #allows(origin: string): boolean {
    return this.#all || this.#origins.has(origin);
  }
}
