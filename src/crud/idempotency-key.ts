// Idempotency-Key: draft-ietf-httpapi-idempotency-key-header.
import { HttpProblem } from "../http/problem";
import { KeyReused, TooMuchKept } from "../store/errors";
import type { Once } from "../store/store";

const maxKeyLength = 255;

/**
 * The key of a request: a string as the draft has it (RFC 8941, in quotes), or the same without quotes, as many clients
 * send it. Undefined: the request has none.
 *
 * @throws {HttpProblem} 400 for one that is malformed, empty or too long.
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

export interface KeyedRequest {
  readonly key: string;
  /** The path that the key is for. */
  readonly path: string;
  /** The header; null: there is none. */
  readonly authorization: string | null;
  readonly fingerprint: string;
}

/** A key belongs to the POST on one path, and to the token that sent it. Hashed, so that the store keeps no token. */
export function onceOf({ key, path, authorization, fingerprint }: KeyedRequest, part = 0): Once {
  const token = (authorization ?? "").replace(/^\S+ +/, "");
  return { key: sha256(JSON.stringify(["POST", path.replace(/\/$/, ""), token, key])), owner: sha256(token), fingerprint, part };
}

/** The same for every way to write the same JSON: white space and the order of keys make no difference. */
export function fingerprintOf(body: unknown): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return sha256(JSON.stringify(body, sorted));
}

/** To `catch` what the store says of a key. */
export function refuseKey(error: unknown): never {
  if (error instanceof TooMuchKept) {
    const problem = new HttpProblem(
      429,
      "The answers to this token's Idempotency-Keys of the last 24 hours take up all of their room. Nothing was changed.",
    );
    problem.headers = { "retry-after": String(error.retryAfter) };
    throw problem;
  }
  if (!(error instanceof KeyReused)) throw error;
  throw new HttpProblem(
    422,
    "This Idempotency-Key came with another body before; a new request needs a new key.",
    undefined,
    "idempotency-key-reused",
  );
}

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("base64url");
}
