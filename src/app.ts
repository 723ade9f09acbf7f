import type { ValueError } from "@sinclair/typebox/errors";
import { type AnyElysia, Elysia, NotFoundError, ParseError, ValidationError } from "elysia";
import { requireToken } from "./access";
import type { Config } from "./config";
import { maxBodyBytes } from "./json-body";
import { type Log, messageOf } from "./observe/logging";
import { traceField } from "./observe/traceparent";
import { noTracing, type Tracing } from "./observe/tracing";
import { describeMistakes, HttpProblem, problemResponse } from "./problem";
import { limitRate } from "./rate-limit";
import type { Dependencies } from "./route";
import { type LoadedRoute, mountRoutes } from "./router";
import { StoreUnavailable } from "./store/store";
import { apiDocs } from "./swagger";
import { traceRequests } from "./trace-requests";

export interface AppOptions {
  readonly routes: readonly LoadedRoute[];
  readonly dependencies: Dependencies;
  readonly config: Pick<Config, "apiTokens" | "rateLimit">;
  readonly log: Log;
  /** Default: none. */
  readonly tracing?: Tracing;
}

/** Bun answers a body above this by itself, without a word; one above what is read gets a problem. */
const maxReceivedBytes = 8 * maxBodyBytes;

/**
 * Builds the HTTP application; whoever calls this listens. A test can call `handle(new Request(…))` on it.
 *
 * @throws {RouterError} for a file in `routes/` that does not build a route.
 */
export function buildApp({ routes, dependencies, config, log, tracing = noTracing }: AppOptions): AnyElysia {
  const refuseStranger = requireToken(config.apiTokens);
  const refuseFlood = limitRate(config.rateLimit);
  return new Elysia({
    // Unknown properties are refused, not stripped without a word.
    normalize: false,
    // Every answer passes the hooks below.
    nativeStaticResponse: false,
    // One router and one path, which the hooks see too: Bun's own matches what was sent before `..` is resolved in it,
    // and by default Elysia finds another path than is there when the Host is shorter than four letters.
    systemRouter: false,
    handler: { standardHostname: false },
    // Elysia would let a second process share the port, and take half of the requests, without a word.
    serve: { maxRequestBodySize: maxReceivedBytes, reusePort: false },
  })
    .use(traceRequests(tracing))
    .onRequest((context) => {
      // Elysia has set the path by now, whatever its type says.
      const { request, server, path } = context as typeof context & { path: string };
      return refuseFlood(server?.requestIP(request)?.address) ?? refuseStranger(request, path);
    })
    .onError(({ error, request, path }) => answerError(error, request, path, log))
    .use(mountRoutes(routes, dependencies))
    .use(apiDocs(config));
}

const places: Record<string, string> = { params: "path", query: "query", body: "body" };

function answerError(error: unknown, request: Request, path: string, log: Log): Response {
  const { method, headers } = request;
  if (error instanceof HttpProblem) return problemResponse(error.status, error.message, error.errors);
  if (error instanceof ValidationError)
    return problemResponse(422, `The ${places[error.type] ?? error.type} is not valid.`, describeMistakes(error.all as ValueError[]));
  if (error instanceof NotFoundError) return problemResponse(404, `There is nothing at ${method} ${path}.`);
  if (error instanceof ParseError) {
    // Elysia wraps what a body parser throws.
    if (error.cause instanceof HttpProblem) return answerError(error.cause, request, path, log);
    return problemResponse(400, "The body cannot be read.");
  }
  const context = { method, path, error: messageOf(error), ...traceField(headers.get("traceparent")) };
  if (error instanceof StoreUnavailable) {
    log.error(context, "The store is not available; the request was refused and nothing was changed");
    return problemResponse(503, "The store cannot do this now; nothing was changed. Try again.", undefined, { "retry-after": "1" });
  }
  log.error({ ...context, stack: error instanceof Error ? error.stack : undefined }, "A request failed unexpectedly");
  return problemResponse(500);
}
