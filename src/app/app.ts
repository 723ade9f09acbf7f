import { type AnyElysia, Elysia } from "elysia";
import type { Config } from "../config/config";
import { consoleRequests } from "../console/api-requests";
import { consolePages } from "../console/pages";
import { rootRoute } from "../console/root";
import { maxBulkBytes } from "../crud/read-bulk";
import { eventDocs } from "../docs/asyncapi-routes";
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
import { publicRoutes } from "../http/public-routes";
import { traceRequests } from "../http/trace-requests";
import type { Log } from "../observe/logging";
import { noTracing, type Tracing } from "../observe/tracing";
import type { Dependencies } from "../routing/route";
import { type LoadedRoute, mountRoutes } from "../routing/router";
import { now } from "../timing/clock";
import { withBuiltInRoutes } from "./with-built-in";

export interface AppOptions {
  /** The project's own routes. A route replaces the built-in route at the same path. */
  readonly routes: readonly LoadedRoute[];
  /** Consumers to show in the AsyncAPI document. Default: none. */
  readonly consumers?: readonly FoundConsumer[];
  readonly dependencies: Omit<Dependencies, "project">;
  readonly config: Pick<Config, "apiTokens" | "issuer" | "rateLimit" | "trustedProxies" | "allowedHosts" | "corsOrigins" | "console">;
  readonly log: Log;
  /** Tracing of requests. Default: none. */
  readonly tracing?: Tracing;
}

/**
 * Bun refuses a larger body with an empty response. The limit is above those of the routes, so that a body between the two
 * is refused with a problem.
 */
const maxReceivedBytes = 2 * maxBulkBytes;

/**
 * Seconds after which an idle connection is closed, or one whose body arrives too slowly. Bun always allows 10 seconds for
 * the head of a request.
 */
const idleSeconds = 30;

/** The properties that Elysia sets in the context of `onRequest`, although its type does not include them. */
interface Routed {
  readonly path: string;
}

type Handle = (request: Request) => Response | Promise<Response>;

/**
 * Builds the HTTP application. The caller starts listening. A test can call `handle(new Request(…))` without listening.
 *
 * @throws {RouterError} if a file in `routes/` does not build a route, or its routes conflict with another file.
 */
export function buildApp({ routes, consumers = [], dependencies, config, log, tracing = noTracing }: AppOptions): AnyElysia {
  const project = { consumers, paths: routes.map(({ path }) => path) };
  const methodsAt = methodsByPath(() => app.routes);
  const crossOrigin = new CrossOrigin(config.corsOrigins);
  const pass = gate(
    config,
    crossOrigin,
    methodsAt,
    publicRoutes(() => app.routes as readonly DocumentedRoute[]),
    log,
    dependencies.system.peers,
  );
  const answerError = answerErrors(log, methodsAt);
  const measure = measureRequests(dependencies.metrics, dependencies.status.changeSeconds, () => app.routes.map(({ path }) => path));
  const refuseForConsole = consoleRequests(config);
  const answer = async (handle: Handle, request: Request): Promise<Response> => {
    const startedAt = performance.now();
    if (request.method !== "GET") noteArrival(request, now());
    // Handle HEAD as GET: Bun omits the body and ends a stream. Elysia would read the stream to its end, which may not come.
    if (request.method === "HEAD") Object.defineProperty(request, "method", { value: "GET" });
    let response: Response;
    try {
      response = completeUrl(request) ?? refuseForConsole(request) ?? (await handle(request));
      if (response.status >= 400) response = await asProblem(request, response, log);
    } catch (error) {
      // Elysia could not handle the error.
      response = answerError(error, request, pathOf(request));
    }
    measure(request, response.status, startedAt);
    return compressed(request, completeHeaders(crossOrigin, request, response));
  };
  const ownRoot = routes.some(({ path }) => path === "/");
  const app: AnyElysia = new Elysia({
    // Refuse unknown properties instead of silently removing them.
    normalize: false,
    // Every response must pass the hooks below.
    nativeStaticResponse: false,
    // Use one router and one path, the same that the hooks see. Bun's router matches the path before `..` is resolved. And by
    // default, Elysia finds a wrong path if the Host is shorter than four characters.
    systemRouter: false,
    handler: { standardHostname: false },
    serve: {
      maxRequestBodySize: maxReceivedBytes,
      idleTimeout: idleSeconds,
      // By default, Elysia lets a second process share the port and silently take half of the requests.
      reusePort: false,
      // In development mode, Bun would respond to an unhandled error with source code.
      development: false,
    },
  })
    // Elysia's type declares that the handler returns a function.
    .wrap((handle) => (request: Request) => answer(handle as unknown as Handle, request))
    .use(traceRequests(tracing))
    // Elysia awaits a hook only if it is declared as async, and without an issuer there is nothing to wait for. It inspects the source
    // of the hook: if that passed on the context itself, Elysia would prepare every property of it for every request.
    .onRequest(
      config.issuer
        ? async (context) => {
            const { request, path } = context as typeof context & Routed;
            return pass({ request, path, server: app.server });
          }
        : (context) => {
            const { request, path } = context as typeof context & Routed;
            return pass({ request, path, server: app.server });
          },
    )
    .mapResponse({ as: "global" }, compressibleValue)
    .onError(({ error, request, path }) => answerError(error, request, path))
    .use(mountRoutes(withBuiltInRoutes(routes), { ...dependencies, project }))
    .use(ownRoot ? new Elysia() : rootRoute(config, dependencies.catalogue))
    .use(config.console === "off" ? new Elysia() : consolePages(config))
    .use(problemPages())
    .use(apiDocs(config, dependencies.catalogue, () => app.routes as readonly DocumentedRoute[]))
    .use(eventDocs(config, dependencies.catalogue, consumers));
  return app;
}
