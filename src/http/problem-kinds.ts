export interface ProblemKind {
  /** The last part of the problem's `type`. It never changes. */
  readonly name: string;
  readonly title: string;
  /** Describes the cause and the action to take. */
  readonly meaning: string;
}

/** The default kind of problem for each HTTP status. */
export const problemKinds = {
  400: {
    name: "bad-request",
    title: "Bad request",
    meaning: "The request cannot be read, for example because its body is not JSON. Send it in another way; the same one fails again.",
  },
  401: {
    name: "unauthorized",
    title: "A token is needed",
    meaning: "The request has no token, or one that is not known. Send `Authorization: Bearer <token>`.",
  },
  403: {
    name: "forbidden",
    title: "Not allowed",
    meaning: "The token is known, but its scope does not reach this far; or a web page of another site sent the request.",
  },
  404: { name: "not-found", title: "Not found", meaning: "There is no such path, or no such record (any more)." },
  405: {
    name: "method-not-allowed",
    title: "This path does not know the method",
    meaning: "The path is there, but not for this method. `Allow` lists those that it knows.",
  },
  409: {
    name: "conflict",
    title: "Not possible in the state that this is in",
    meaning:
      "The request is valid, but what it is about is in another state than it needs. `detail` says which; read it again before you go on.",
  },
  410: {
    name: "gone",
    title: "No longer there",
    meaning:
      "What was asked for was there and was removed, such as events that are older than EVENT_RETENTION. `Link` says where to go on.",
  },
  412: {
    name: "precondition-failed",
    title: "The record is not in the state that the request asks for",
    meaning:
      "`If-Match` or `If-None-Match` does not hold: somebody else was faster. Read the record again, and send the change with its new `ETag`.",
  },
  413: { name: "too-large", title: "The body is too large", meaning: "The body has more bytes than are taken. Send less, or in parts." },
  415: {
    name: "unsupported-media-type",
    title: "Unsupported media type",
    meaning: "The body's `Content-Type` is not one that is taken here. `detail` names those that are.",
  },
  421: {
    name: "misdirected",
    title: "This is not the host that was asked for",
    meaning:
      "An API without tokens answers only to `localhost`, IP addresses and the names in ALLOWED_HOSTS as the host; one with tokens to any, unless ALLOWED_HOSTS is set.",
  },
  422: {
    name: "invalid",
    title: "The request is well-formed, but its content is not valid",
    meaning: "`errors` lists every mistake: where it is (a JSON pointer), and what is expected there.",
  },
  429: {
    name: "too-many-requests",
    title: "Too many requests",
    meaning: "This client sends more requests than RATE_LIMIT allows. Wait for as many seconds as `Retry-After` says, then send it again.",
  },
  500: {
    name: "internal",
    title: "Something went wrong on the server",
    meaning: "A mistake in the service. The log has the details, under the request id.",
  },
  503: {
    name: "unavailable",
    title: "The service cannot do this now",
    meaning: "Something that is needed is away or busy, and nothing was changed. Send it again a little later.",
  },
} as const satisfies Record<number, ProblemKind>;

/** Kinds that share their status with one of {@link problemKinds}. */
export const specialKinds = {
  "idempotency-key-reused": {
    status: 422,
    name: "idempotency-key-reused",
    title: "The Idempotency-Key was used for another request",
    meaning: "A request with this key and another body was answered before, within 24 hours. A new request needs a new key.",
  },
} as const satisfies Record<string, ProblemKind & { readonly status: number }>;

export type SpecialKind = keyof typeof specialKinds;
export type ProblemStatus = keyof typeof problemKinds;

/** All kinds of problems, ordered by status. */
export const everyKind: readonly (ProblemKind & { readonly status: number })[] = [
  ...Object.entries<ProblemKind>(problemKinds).map(([status, kind]) => ({ status: Number(status), ...kind })),
  ...Object.values(specialKinds),
].sort((a, b) => a.status - b.status);
