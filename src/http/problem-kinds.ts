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
    meaning: "The request is malformed, for example because its body is not JSON. Correct it before you send it again.",
  },
  401: {
    name: "unauthorized",
    title: "Authentication required",
    meaning: "The token is missing or unknown. Send `Authorization: Bearer <token>`.",
  },
  403: {
    name: "forbidden",
    title: "Forbidden",
    meaning: "The token is valid but lacks the required scope, or a web page of another origin sent the request.",
  },
  404: { name: "not-found", title: "Not found", meaning: "The path or the record does not exist, or the record was deleted." },
  405: {
    name: "method-not-allowed",
    title: "Method not allowed",
    meaning: "The path exists but does not support this method. `Allow` lists the supported methods.",
  },
  409: {
    name: "conflict",
    title: "Conflict with the current state",
    meaning:
      "The request is valid, but its target is not in the state that it requires. `detail` describes the state. Read the target again before you retry. With `errors`, another record has the same value in these fields.",
  },
  410: {
    name: "gone",
    title: "Gone",
    meaning:
      "The requested data was removed, for example events older than EVENT_RETENTION. `Link` points to where the remaining data begins.",
  },
  412: {
    name: "precondition-failed",
    title: "Precondition failed",
    meaning:
      "`If-Match` or `If-None-Match` does not hold: the record was changed in the meantime. Read it again, and send the change with its new `ETag`.",
  },
  413: {
    name: "too-large",
    title: "Body too large",
    meaning: "The body exceeds the size limit. Send a smaller body, or split it into several requests.",
  },
  415: {
    name: "unsupported-media-type",
    title: "Unsupported media type",
    meaning: "The `Content-Type` or `Content-Encoding` of the body is not supported. `detail` names what is accepted.",
  },
  421: {
    name: "misdirected",
    title: "Misdirected request",
    meaning:
      "The host in the request is not allowed. Without tokens, the API accepts only `localhost`, IP addresses and the names in ALLOWED_HOSTS. With tokens, it accepts any host unless ALLOWED_HOSTS is set.",
  },
  422: {
    name: "invalid",
    title: "Invalid content",
    meaning:
      "The request is well-formed, but its content is not valid. `errors` lists each mistake with its place (a JSON pointer) and what is expected there.",
  },
  429: {
    name: "too-many-requests",
    title: "Too many requests",
    meaning: "This client exceeds RATE_LIMIT. Wait for the number of seconds in `Retry-After`, then send the request again.",
  },
  500: {
    name: "internal",
    title: "Internal server error",
    meaning: "The service failed unexpectedly. Its log has the details under the request id.",
  },
  503: {
    name: "unavailable",
    title: "Service unavailable",
    meaning: "A required component is unavailable or busy. Nothing was changed. Send the request again later.",
  },
} as const satisfies Record<number, ProblemKind>;

/** Kinds that share their status with one of {@link problemKinds}. */
export const specialKinds = {
  "idempotency-key-reused": {
    status: 422,
    name: "idempotency-key-reused",
    title: "Idempotency-Key reused with a different request",
    meaning: "The key was used within the last 24 hours with a different body. Use a new key for a new request.",
  },
} as const satisfies Record<string, ProblemKind & { readonly status: number }>;

export type SpecialKind = keyof typeof specialKinds;
export type ProblemStatus = keyof typeof problemKinds;

/** All kinds of problems, ordered by status. */
export const everyKind: readonly (ProblemKind & { readonly status: number })[] = [
  ...Object.entries<ProblemKind>(problemKinds).map(([status, kind]) => ({ status: Number(status), ...kind })),
  ...Object.values(specialKinds),
].sort((a, b) => a.status - b.status);
