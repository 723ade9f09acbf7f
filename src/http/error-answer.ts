import type { ValueError } from "@sinclair/typebox/errors";
import { ElysiaCustomStatusResponse, NotFoundError, ParseError, ValidationError } from "elysia";
import { type Log, messageOf } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import { describeMistakes } from "../schema/mistakes";
import { InvalidChange } from "../schema/written";
import { StoreReplaced, StoreUnavailable } from "../store/errors";
import { HttpProblem, problemResponse, problemType } from "./problem";
import { requestIdOf } from "./request-id";

const places: Record<string, string> = { params: "path", query: "query", body: "body" };

/**
 * The answer to a request that failed. What nobody expected is 500 with the request's id and nothing else, in every
 * environment; the log has the details.
 *
 * @param methodsAt answers the methods that a path knows.
 */
export function answerErrors(log: Log, methodsAt: (path: string) => readonly string[]) {
  return function answer(error: unknown, request: Request, path: string): Response {
    const { method } = request;
    if (error instanceof HttpProblem) {
      const { status, message: detail, errors, special, headers } = error;
      return problemResponse(request, status, { detail, errors, special }, headers);
    }
    // An answer that is not as its schema says is the service's own mistake, and its values are nobody's business.
    if (error instanceof ValidationError && error.type in places) {
      const detail = `The ${places[error.type]} is not valid.`;
      return problemResponse(request, 422, { detail, errors: describeMistakes(error.all as ValueError[]) });
    }
    if (error instanceof NotFoundError) {
      const methods = methodsAt(path);
      if (methods.length === 0 || methods.includes(method)) {
        return problemResponse(request, 404, { detail: `There is nothing at ${method} ${path}.` });
      }
      const allow = methods.join(", ");
      return problemResponse(request, 405, { detail: `${path} knows ${allow}, but not ${method}.` }, { allow });
    }
    if (error instanceof ParseError) {
      // Elysia wraps what a body parser throws.
      if (error.cause instanceof HttpProblem) return answer(error.cause, request, path);
      return problemResponse(request, 400, { detail: "The body cannot be read." });
    }
    // What a route has thrown by Elysia's `status(404, "…")` is meant for the client.
    if (error instanceof ElysiaCustomStatusResponse && error.code >= 400) {
      return problemResponse(request, error.code, typeof error.response === "string" ? { detail: error.response } : {});
    }
    if (hasLeft(error, request)) return problemResponse(request, 400, { detail: "The client left before the request was answered." });
    const about = { requestId: requestIdOf(request), ...traceField(request.headers.get("traceparent")) };
    const context = { ...about, method, path, error: messageOf(error) };
    if (error instanceof StoreUnavailable) {
      log.error(context, "The store is not available; the request was refused and nothing was changed");
      const detail =
        error instanceof StoreReplaced
          ? "The database file was removed or replaced; nothing was changed. The API has to be restarted."
          : "The store cannot do this now; nothing was changed. Try again.";
      return problemResponse(request, 503, { detail }, { "retry-after": "1" });
    }
    if (error instanceof InvalidChange) {
      // The client has sent what its route accepts, and learns what would do; that the route accepts too much is for the log.
      log.warn(context, "A change was refused: its route accepts what the schema of the record does not");
      return problemResponse(request, 422, { detail: error.summary, errors: [...error.mistakes] });
    }
    log.error({ ...context, stack: error instanceof Error ? error.stack : undefined }, "A request failed unexpectedly");
    return problemResponse(request, 500);
  };
}

/**
 * Whether a request failed because its client closed the connection: what reads its body rejects then, and so does whatever
 * was given its signal. Nobody sees the answer; it only must not count, or be logged, as a failure of the service.
 */
function hasLeft(error: unknown, request: Request): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return request.signal.aborted && [error, cause].some((one) => one instanceof Error && one.name === "AbortError");
}

/**
 * The problem that an answer of a route stands for: one made without throwing, by `status(404, "…")` for example, or an
 * Error that is returned. What it says reaches the client only where the client is to blame; JSON of the route's own stays.
 */
export async function asProblem(request: Request, response: Response, log: Log): Promise<Response> {
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "";
  if (type === problemType || (status < 500 && type !== "" && !type.startsWith("text/plain"))) return response;
  const text = await response.text();
  if (status < 500) return problemResponse(request, status, { detail: text }, Object.fromEntries(headers));
  log.error(
    { requestId: requestIdOf(request), method: request.method, path: pathOf(request), error: text },
    "A route answered with an error",
  );
  return problemResponse(request, status);
}

/** Where the router has not been asked. */
export function pathOf(request: Request): string {
  return URL.parse(request.url)?.pathname ?? request.url;
}
