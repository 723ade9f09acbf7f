import { arrivalOf } from "../http/arrival";
import { requestIdOf } from "../http/request-id";
import { validTraceparent } from "../observe/traceparent";
import type { ChangeContext } from "../store/store";

/** What the event keeps of the request. */
export function contextOf(request: Request): ChangeContext {
  return {
    traceparent: validTraceparent(request.headers.get("traceparent")),
    requestId: requestIdOf(request),
    requestedAt: arrivalOf(request),
  };
}
