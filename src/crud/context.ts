import { validTraceparent } from "../observe/traceparent";
import type { ChangeContext } from "../store/store";

export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** What the event keeps of the request. */
export function contextOf(headers: RequestHeaders): ChangeContext {
  const traceparent = validTraceparent(headers["traceparent"]);
  return traceparent ? { traceparent } : {};
}
