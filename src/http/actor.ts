import type { Actor } from "../schema/actor";

const actor = Symbol("actor");
const expiresAt = Symbol("expires at");
// Kept on the request itself, which is faster than a WeakMap.
type Identified = Request & { [actor]?: Actor; [expiresAt]?: number | undefined };

/** Whoever sends a request without a token to a route that needs none. No token has an empty subject, so it owns nothing. */
export const nobody: Actor = { subject: "", scopes: [] };

/**
 * Records who sends a request.
 *
 * @param until time at which the proof of identity expires, in milliseconds since 1970. Default: never.
 */
export function identify(request: Request, as: Actor, until?: number): void {
  (request as Identified)[actor] = as;
  (request as Identified)[expiresAt] = until;
}

/** Returns who sends a request. Undefined if the request needs no token. */
export function actorOf(request: Request): Actor | undefined {
  return (request as Identified)[actor];
}

/** Returns the time at which a request's token expires, in milliseconds since 1970. Undefined if it does not. */
export function expiryOf(request: Request): number | undefined {
  return (request as Identified)[expiresAt];
}
