import { arrivalOf } from "../http/arrival";
import { requestIdOf } from "../http/request-id";
import { validTraceparent } from "../observe/traceparent";
import type { ChangeContext } from "../store/store";

/** Returns the parts of a request that are stored with the event: trace context, request id and time of arrival. */
export function contextOf(request: Request): ChangeContext {
  return {
    traceparent: validTraceparent(request.headers.get("traceparent")),
    requestId: requestIdOf(request),
    requestedAt: arrivalOf(request),
  };
}
