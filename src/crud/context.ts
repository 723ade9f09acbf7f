import { arrivalOf } from "../arrival";
import { validTraceparent } from "../observe/traceparent";
import { requestIdOf } from "../request-id";
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
