import { Elysia } from "elysia";
import type { Tracing } from "../observe/tracing";

type Handle = (request: Request) => Response | Promise<Response>;

/** Creates a span per request. The span's `traceparent` replaces the caller's, so that all further work belongs to the span. */
export function traceRequests(tracing: Tracing) {
  const app = new Elysia();
  const start = tracing.request?.bind(tracing);
  if (!start) return app;
  const routes = new WeakMap<Request, string>();
  const note = ({ request, route }: { request: Request; route?: string }) => {
    if (route) routes.set(request, route);
  };
  const traced = (handle: Handle, request: Request): Response | Promise<Response> => {
    const span = start(request);
    if (!span) return handle(request);
    request.headers.set("traceparent", span.traceparent ?? "");
    return span.run(async () => {
      const response = await handle(request);
      span.respond(request.method, response.status, routes.get(request), response.headers.get("x-request-id"));
      return response;
    });
  };
  return (
    app
      // Elysia's type declares that the handler returns a function.
      .wrap((handle) => (request: Request) => traced(handle as unknown as Handle, request))
      .onTransform({ as: "global" }, note)
      .onError({ as: "global" }, note)
  );
}
