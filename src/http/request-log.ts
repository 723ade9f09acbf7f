import { traceField } from "../observe/traceparent";
import { actorOf } from "./actor";
import { requestIdOf } from "./request-id";

/** Returns the fields of a log line about a request: its id, its actor and its trace, as far as it has them. */
export function requestFields(request: Request): Record<string, string> {
  const actor = actorOf(request);
  return {
    requestId: requestIdOf(request),
    ...(actor?.subject && { actor: actor.subject }),
    ...traceField(request.headers.get("traceparent")),
  };
}
