import { arrivalOf } from "../http/arrival";
import { requestIdOf } from "../http/request-id";
import { validTraceparent } from "../observe/traceparent";
import type { ChangeContext } from "../store/store";
import { guardOf } from "./preconditions";

/** Returns the parts of a request that are stored with the event: trace context, request id and time of arrival. */
export function contextOf(request: Request): ChangeContext {
  return {
    traceparent: validTraceparent(request.headers.get("traceparent")),
    requestId: requestIdOf(request),
    requestedAt: arrivalOf(request),
  };
}

/** Returns the same with a guard that makes the change only if the record meets the request's conditions. */
export function changeContextOf(request: Request, name: string) {
  return { ...contextOf(request), guard: guardOf(name, request.headers) };
}
