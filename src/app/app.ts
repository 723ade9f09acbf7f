import { type AnyElysia, Elysia } from "elysia";
import type { Config } from "../config/config";
import { maxBulkBytes } from "../crud/read-bulk";
import { eventDocs } from "../docs/asyncapi-page";
import type { FoundConsumer } from "../docs/find-consumers";
import type { DocumentedRoute } from "../docs/openapi";
import { apiDocs } from "../docs/swagger";
import { completeHeaders } from "../http/answer-headers";
import { noteArrival } from "../http/arrival";
import { compressed, compressibleValue } from "../http/compression";
import { CrossOrigin } from "../http/cross-origin";
import { answerErrors, asProblem, pathOf } from "../http/error-answer";
import { gate } from "../http/gate";
import { completeUrl } from "../http/host";
import { measureRequests } from "../http/http-metrics";
import { methodsByPath } from "../http/methods";
import { problemPages } from "../http/problem-pages";
import { traceRequests } from "../http/trace-requests";
import type { Log } from "../observe/logging";
import { noTracing, type Tracing } from "../observe/tracing";
import type { Dependencies } from "../routing/route";
import { type LoadedRoute, mountRoutes } from "../routing/router";
import { withBuiltInRoutes } from "./with-built-in";

export interface AppOptions {
  /** The project's own routes. One at the path of a route of the service takes its place. */
  readonly routes: readonly LoadedRoute[];
  /** Consumers to show in the AsyncAPI document. Default: none. */
  readonly consumers?: readonly FoundConsumer[];
  readonly dependencies: Dependencies;
  readonly config: Pick<Config, "apiTokens" | "rateLimit" | "trustedProxies" | "allowedHosts" | "corsOrigins">;
  readonly log: Log;
  /** Default: none. */
  readonly tracing?: Tracing;
}

/** Bun answers a body above this by itself, without a word; one above what is read gets a problem. */
const maxReceivedBytes = 2 * maxBulkBytes;

/**
 * Seconds after which a connection is closed on which nothing happens, or whose body comes too slowly to be honest. Bun
 * gives a head 10 seconds, however it comes.
 */
const idleSeconds = 30;

type Handle = (request: Request) => Response | Promise<Response>;

/**
 * Builds the HTTP application; whoever calls this listens. A test can call `handle(new Request(…))` on it.
 *
 * @throws {RouterError} for a file in `routes/` that does not build a route.
 */
export function buildApp({ routes, consumers = [], dependencies, config, log, tracing = noTracing }: AppOptions): AnyElysia {
  const methodsAt = methodsByPath(() => app.routes);
  const crossOrigin = new CrossOrigin(config.corsOrigins);
  const pass = gate(config, crossOrigin, methodsAt);
  const answerError = answerErrors(log, methodsAt);
  const measure = measureRequests(dependencies.metrics, () => app.routes.map(({ path }) => path));
  const answer = async (handle: Handle, request: Request): Promise<Response> => {
    const startedAt = performance.now();
    if (request.method !== "GET") noteArrival(request, Date.now());
    // Answered as GET is: Bun leaves the body out, and ends a stream. Elysia would read it to its end, which may not come.
    if (request.method === "HEAD") Object.defineProperty(request, "method", { value: "GET" });
    let response: Response;
    try {
      response = completeUrl(request) ?? (await handle(request));
      if (response.status >= 400) response = await asProblem(request, response, log);
    } catch (error) {
      // Not even Elysia could make something of it.
      response = answerError(error, request, pathOf(request));
    }
    measure(request, response.status, startedAt);
    return compressed(request, completeHeaders(crossOrigin, request, response));
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
    serve: {
      maxRequestBodySize: maxReceivedBytes,
      idleTimeout: idleSeconds,
      // Elysia would let a second process share the port, and take half of the requests, without a word.
      reusePort: false,
      // Bun would answer what Elysia lets through with the source of the place.
      development: false,
    },
  })
    // Elysia's own type says that the handler answers a function.
    .wrap((handle) => (request: Request) => answer(handle as unknown as Handle, request))
    .use(traceRequests(tracing))
    .onRequest((context) => {
      // Elysia has set the path by now, whatever its type says.
      const { request, path } = context as typeof context & { path: string };
      return pass({ request, path, server: app.server });
    })
    .mapResponse({ as: "global" }, compressibleValue)
    .onError(({ error, request, path }) => answerError(error, request, path))
    .use(mountRoutes(withBuiltInRoutes(routes), dependencies))
    .use(problemPages())
    .use(apiDocs(config, dependencies.catalogue, () => app.routes as readonly DocumentedRoute[]))
    .use(eventDocs(dependencies.catalogue, consumers));
  return app;
}
