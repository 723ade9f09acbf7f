// Idempotency-Key: draft-ietf-httpapi-idempotency-key-header.
import { actorOf } from "../http/actor";
import { pathOf } from "../http/error-answer";
import { HttpProblem } from "../http/problem";
import type { Resource } from "../schema/resource";
import type { Once } from "../store/change-context";

const maxKeyLength = 255;

/**
 * Returns the idempotency key of a request, or undefined if it has none. The key is a string in quotes per the draft
 * (RFC 8941), or the same string without quotes, because many clients omit them.
 *
 * @throws {HttpProblem} 400 if the key is malformed, empty or too long.
 */
function idempotencyKeyOf(headers: Headers): string | undefined {
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

/**
 * Returns what makes the change of a request idempotent, or undefined if the request has no Idempotency-Key. Scopes the key to the
 * method, the path and the actor of the request, so that a renewed token makes no difference.
 *
 * @param fingerprint returns a hash of the body. Called only if there is a key.
 * @throws {HttpProblem} 400 if the key is malformed.
 */
export function onceOf(resource: Pick<Resource, "access">, request: Request, fingerprint: () => string): Once | undefined {
  const key = idempotencyKeyOf(request.headers);
  if (key === undefined) return undefined;
  const sender = senderOf(resource, request);
  const path = pathOf(request).replace(/\/$/, "");
  return { key: sha256(JSON.stringify([request.method, path, sender, key])), owner: sha256(sender), fingerprint: fingerprint(), part: 0 };
}

/**
 * Identifies the sender of a request, in one tenant. An API that requires no token has no actors, and takes the token that a client
 * sends anyway.
 */
function senderOf({ access: { scope } }: Pick<Resource, "access">, request: Request): string {
  const actor = actorOf(request);
  if (!actor) return (request.headers.get("authorization") ?? "").replace(/^\S+ +/, "");
  const { subject, claims = {} } = actor;
  return JSON.stringify([claims["iss"] ?? null, subject, scope ? (claims[scope.claim] ?? null) : null]);
}

/** Returns a hash of a JSON value. White space and the order of keys do not change it. */
export function fingerprintOf(body: unknown): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return sha256(JSON.stringify(body, sorted));
}

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("base64url");
}
