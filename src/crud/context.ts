import type { ChangeContext } from "../store/store";

export type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** What the event keeps of the request. */
export function contextOf(headers: RequestHeaders): ChangeContext {
  const traceparent = headers["traceparent"];
  return traceparent && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent) ? { traceparent } : {};
}
