// Idempotency-Key: draft-ietf-httpapi-idempotency-key-header.
import { HttpProblem } from "../http/problem";
import { KeyReused, TooMuchKept } from "../store/errors";
import type { Once } from "../store/store";

const maxKeyLength = 255;

/**
 * Returns the idempotency key of a request, or undefined if it has none. The key is a string in quotes per the draft
 * (RFC 8941), or the same string without quotes, because many clients omit them.
 *
 * @throws {HttpProblem} 400 if the key is malformed, empty or too long.
 */
export function idempotencyKeyOf(headers: Headers): string | undefined {
  const header = headers.get("idempotency-key");
  if (header === null) return undefined;
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(header)?.[1]?.replaceAll(/\\(.)/g, "$1");
  const key = quoted ?? /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]*$/.exec(header)?.[0];
  if (key !== undefined && key.length >= 1 && key.length <= maxKeyLength) return key;
  throw new HttpProblem(
    400,
    `Idempotency-Key is malformed: send one string of 1 to ${maxKeyLength} visible ASCII characters, such as "8e03978e-40d5-43e8-bc93-6894a57f9324".`,
  );
}

/** The parts of a request that determine whether two requests with a key are the same. */
export interface KeyedRequest {
  readonly key: string;
  /** Path of the request. The same key on another path is another key. */
  readonly path: string;
  /** Value of the `Authorization` header, or null if the request has none. */
  readonly authorization: string | null;
  /** Hash of the body. */
  readonly fingerprint: string;
}

/** Scopes a key to POST on one path and to the token that sent it. The values are hashed so that no token is stored. */
export function onceOf({ key, path, authorization, fingerprint }: KeyedRequest, part = 0): Once {
  const token = (authorization ?? "").replace(/^\S+ +/, "");
  return { key: sha256(JSON.stringify(["POST", path.replace(/\/$/, ""), token, key])), owner: sha256(token), fingerprint, part };
}

/** Returns a hash of a JSON value. White space and the order of keys do not change it. */
export function fingerprintOf(body: unknown): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return sha256(JSON.stringify(body, sorted));
}

/**
 * Converts the store's errors about a key to problems. Pass it to `catch`.
 *
 * @throws {HttpProblem} 429 for {@link TooMuchKept}, 422 for {@link KeyReused}. Any other error is rethrown.
 */
export function refuseKey(error: unknown): never {
  if (error instanceof TooMuchKept) {
    const problem = new HttpProblem(
      429,
      "The responses kept for this token's Idempotency-Keys of the last 24 hours have reached their size limit. Nothing was changed. Retry later, or send the request without a key.",
    );
    problem.headers = { "retry-after": String(error.retryAfter) };
    throw problem;
  }
  if (!(error instanceof KeyReused)) throw error;
  throw new HttpProblem(
    422,
    "This Idempotency-Key was used with a different body. Use a new key for a new request.",
    undefined,
    "idempotency-key-reused",
  );
}

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("base64url");
}
