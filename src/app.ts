import { type AnyElysia, Elysia } from "elysia";
import { requireToken } from "./access";
import { completeHeaders } from "./answer-headers";
import type { Config } from "./config";
import { answerErrors } from "./error-answer";
import { measureRequests } from "./http-metrics";
import { maxBodyBytes } from "./json-body";
import { methodsByPath } from "./methods";
import type { Log } from "./observe/logging";
import { noTracing, type Tracing } from "./observe/tracing";
import { limitRate } from "./rate-limit";
import type { Dependencies } from "./route";
import { type LoadedRoute, mountRoutes } from "./router";
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

type Handle = (request: Request) => Response | Promise<Response>;

/**
 * Builds the HTTP application; whoever calls this listens. A test can call `handle(new Request(…))` on it.
 *
 * @throws {RouterError} for a file in `routes/` that does not build a route.
 */
export function buildApp({ routes, dependencies, config, log, tracing = noTracing }: AppOptions): AnyElysia {
  const refuseStranger = requireToken(config.apiTokens);
  const refuseFlood = limitRate(config.rateLimit);
  const answerError = answerErrors(
    log,
    methodsByPath(() => app.routes),
  );
  const measure = measureRequests(dependencies.metrics, () => app.routes.map(({ path }) => path));
  const answer = async (handle: Handle, request: Request): Promise<Response> => {
    const startedAt = performance.now();
    let response: Response;
    try {
      response = await handle(request);
    } catch (error) {
      // Not even Elysia could make something of it.
      response = answerError(error, request, URL.parse(request.url)?.pathname ?? "");
    }
    measure(request, response.status, startedAt);
    return completeHeaders(request, response);
  };
  const app: AnyElysia = new Elysia({
    // Unknown properties are refused, not stripped without a word.
    normalize: false,
    // Every answer passes the hooks below.
    nativeStaticResponse: false,
    // One router and one path, which the hooks see too: Bun's own matches what was sent before `..` is resolved in it,
    // and by default Elysia finds another path than is there when the Host is shorter than four letters.
    systemRouter: false,
    handler: { standardHostname: false },
    // Elysia would let a second process share the port, and take half of the requests, without a word.
    // In development Bun would answer what Elysia lets through with the source of the place.
    serve: { maxRequestBodySize: maxReceivedBytes, reusePort: false, development: false },
  })
    // Elysia's own type says that the handler answers a function.
    .wrap((handle) => (request: Request) => answer(handle as unknown as Handle, request))
    .use(traceRequests(tracing))
    .onRequest((context) => {
      // Elysia has set the path by now, whatever its type says.
      const { request, server, path } = context as typeof context & { path: string };
      return refuseFlood(request, server?.requestIP(request)?.address) ?? refuseStranger(request, path);
    })
    .onError(({ error, request, path }) => answerError(error, request, path))
    .use(mountRoutes(routes, dependencies))
    .use(apiDocs(config));
  return app;
}
