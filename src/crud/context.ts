import { arrivalOf } from "../http/arrival";
import { requestIdOf } from "../http/request-id";
import { validTraceparent } from "../observe/traceparent";
import type { ChangeContext } from "../store/store";

export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** What the event keeps of the request. */
export function contextOf(headers: RequestHeaders, request: Request): ChangeContext {
  return {
    traceparent: validTraceparent(headers["traceparent"]),
    requestId: requestIdOf(request),
    requestedAt: arrivalOf(request),
  };
}
