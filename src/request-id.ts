const made = new WeakMap<Request, string>();

/**
 * The id of a request, by which an answer and the lines of the log find each other: the client's own `X-Request-Id` if
 * it is 1 to 128 letters, digits or `._~+/=:@-`, else a new UUIDv7, which stays the same for this request.
 */
export function requestIdOf(request: Request): string {
  const known = sentId(request) ?? made.get(request);
  if (known) return known;
  const id = Bun.randomUUIDv7();
  made.set(request, id);
  return id;
}

/** As {@link requestIdOf}, for whoever asks last: nobody will ask again, so a new id need not be kept. */
export function lastRequestIdOf(request: Request): string {
  return sentId(request) ?? made.get(request) ?? Bun.randomUUIDv7();
}

function sentId(request: Request): string | undefined {
  const sent = request.headers.get("x-request-id");
  return sent !== null && /^[\w.~+/=:@-]{1,128}$/.test(sent) ? sent : undefined;
}
