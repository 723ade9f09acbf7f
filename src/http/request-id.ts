const requestId = Symbol("request id");
type Identified = Request & { [requestId]?: string };

/**
 * Returns the id of a request, which links a response to the lines in the log. This is the client's `X-Request-Id` if it
 * consists of 1 to 128 letters, digits or `._~+/=:@-`. Otherwise it is a new UUIDv7, which stays the same for this request.
 */
export function requestIdOf(request: Request): string {
  const identified = request as Identified;
  // Kept on the request itself, which is faster than a WeakMap.
  identified[requestId] ??= lastRequestIdOf(request);
  return identified[requestId];
}

/** Like {@link requestIdOf}, for the last use of a request's id. It does not keep a new id. */
export function lastRequestIdOf(request: Request): string {
  return (request as Identified)[requestId] ?? sentId(request) ?? Bun.randomUUIDv7();
}

function sentId(request: Request): string | undefined {
  const sent = request.headers.get("x-request-id");
  return sent !== null && /^[\w.~+/=:@-]{1,128}$/.test(sent) ? sent : undefined;
}
