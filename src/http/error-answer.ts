import type { ValueError } from "@sinclair/typebox/errors";
import { ElysiaCustomStatusResponse, NotFoundError, ParseError, ValidationError } from "elysia";
import { type Log, messageOf } from "../observe/logging";
import { describeMistakes } from "../schema/mistakes";
import { InvalidChange, RefusedChange } from "../schema/refused-change";
import { Forbidden, RecordNotFound, StoreReplaced, StoreUnavailable, TransactionGaveUp } from "../store/errors";
import { isRemoved } from "../store/open";
import { HttpProblem, problemResponse, problemType } from "./problem";
import { problemOfRefused } from "./refused-change";
import { problemOfKey } from "./refused-key";
import { requestFields } from "./request-log";
import { insufficientScope } from "./token-challenge";

const places: Record<string, string> = { params: "path", query: "query", body: "body" };

/**
 * Returns a function that converts the error of a failed request to a response. An unexpected error becomes a 500 response
 * with the request id only, in every environment. The log has the details.
 *
 * @param methodsAt returns the methods that a path supports.
 */
export function answerErrors(log: Log, methodsAt: (path: string) => readonly string[]) {
  return function answer(error: unknown, request: Request, path: string): Response {
    const { method } = request;
    if (error instanceof HttpProblem) {
      const { status, message: detail, errors, special, headers } = error;
      return problemResponse(request, status, { detail, errors, special }, headers);
    }
    // A response that does not match its schema is a mistake in the service. Its values must not reach the client.
    if (error instanceof ValidationError && error.type in places) {
      const detail = `The ${places[error.type]} is not valid.`;
      return problemResponse(request, 422, { detail, errors: describeMistakes(error.all as ValueError[]) });
    }
    if (error instanceof NotFoundError) {
      const methods = methodsAt(path);
      if (methods.length === 0 || methods.includes(method)) {
        return problemResponse(request, 404, { detail: `No route matches ${method} ${path}.` });
      }
      const allow = methods.join(", ");
      return problemResponse(request, 405, { detail: `${path} does not support ${method}; it supports ${allow}.` }, { allow });
    }
    if (error instanceof ParseError) {
      // Elysia wraps what a body parser throws.
      if (error.cause instanceof HttpProblem) return answer(error.cause, request, path);
      return problemResponse(request, 400, { detail: "The body cannot be read." });
    }
    // A message that a route throws with Elysia's `status(404, "…")` is meant for the client.
    if (error instanceof ElysiaCustomStatusResponse && error.code >= 400) {
      return problemResponse(request, error.code, typeof error.response === "string" ? { detail: error.response } : {});
    }
    const aboutKey = problemOfKey(error);
    if (aboutKey) return answer(aboutKey, request, path);
    if (hasLeft(error, request)) return problemResponse(request, 400, { detail: "The client closed the connection before the response." });
    if (error instanceof RecordNotFound) return problemResponse(request, 404, { detail: error.message });
    const context = { ...requestFields(request), method, path, error: messageOf(error) };
    if (error instanceof TransactionGaveUp) {
      log.warn(context, "A transaction gave up; nothing changed");
      return problemResponse(request, 503, { detail: error.message }, { "retry-after": "1" });
    }
    if (error instanceof StoreUnavailable || isRemoved(error)) {
      log.error(context, "The store is not available; request refused, nothing changed");
      const detail =
        error instanceof StoreReplaced
          ? "The database was removed or replaced. Nothing was changed. Restart the API."
          : "The store is not available. Nothing was changed. Try again.";
      return problemResponse(request, 503, { detail }, { "retry-after": "1" });
    }
    if (error instanceof Forbidden) {
      return problemResponse(request, 403, { detail: error.message }, error.scope === undefined ? {} : insufficientScope(error.scope));
    }
    if (error instanceof RefusedChange) {
      // The client gets the mistakes, and the log points at the route.
      if (error instanceof InvalidChange) log.warn(context, "Change refused: the route accepts values that the record's schema does not");
      const { status, ...content } = problemOfRefused(error);
      return problemResponse(request, status, content);
    }
    log.error({ ...context, stack: error instanceof Error ? error.stack : undefined }, "Request failed with an unexpected error");
    return problemResponse(request, 500);
  };
}

/**
 * Returns whether a request failed because its client closed the connection. Reading the body then rejects, and so does work
 * that uses the request's signal. The client does not see the response, but it must not count as a failure of the service.
 */
function hasLeft(error: unknown, request: Request): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return request.signal.aborted && [error, cause].some((one) => one instanceof Error && one.name === "AbortError");
}

/**
 * Converts an error response of a route to a problem, such as one from `status(404, "…")` or a returned Error. The message
 * reaches the client only for statuses below 500. For these, JSON from the route is not changed.
 */
export async function asProblem(request: Request, response: Response, log: Log): Promise<Response> {
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "";
  if (type === problemType || (status < 500 && type !== "" && !type.startsWith("text/plain"))) return response;
  const text = await response.text();
  if (status < 500) return problemResponse(request, status, { detail: text }, Object.fromEntries(headers));
  log.error(
    { ...requestFields(request), method: request.method, path: pathOf(request), error: text },
    "A route returned an error response",
  );
  return problemResponse(request, status);
}

/** Returns the path in the URL, for requests that have not reached the router. */
export function pathOf(request: Request): string {
  return URL.parse(request.url)?.pathname ?? request.url;
}
