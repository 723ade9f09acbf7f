import type { Actor } from "../schema/actor";

const actor = Symbol("actor");
type Identified = Request & { [actor]?: Actor };

/** Records who sends a request. */
export function identify(request: Request, as: Actor): void {
  // Kept on the request itself, which is faster than a WeakMap.
  (request as Identified)[actor] = as;
}

/** Returns who sends a request. Undefined if the request needs no token. */
export function actorOf(request: Request): Actor | undefined {
  return (request as Identified)[actor];
}
