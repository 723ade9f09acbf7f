import type { Resource } from "../schema/resource";
import type { Once } from "../store/change-context";
import type { Stored } from "../store/stored";
import { fingerprintOf, onceOf } from "./idempotency-key";
import { guardOf } from "./preconditions";

/** The conditions under which a request changes a record. */
export interface RequestConditions {
  /** Throws a 412 problem if the record does not meet `If-Match` or `If-None-Match`. Undefined without these headers. */
  readonly guard: ((current: Stored) => void) | undefined;
  /** Makes the change idempotent. Undefined without `Idempotency-Key`. */
  readonly once: Once | undefined;
}

/**
 * Returns the conditions that the headers of a request set: `If-Match`, `If-None-Match` and `Idempotency-Key`. Pass them to
 * `insert`, `update` or `remove` of the store; `crud()` and `action()` do.
 *
 * @param body the body of the request. A key that was used with another body is refused. Default: none.
 * @throws {HttpProblem} 400 if a header is malformed.
 * @example
 * storeFor(request).update(order, Number(id), change, conditionsOf(order, request, body))
 */
export function conditionsOf(resource: Resource, request: Request, body?: unknown): RequestConditions {
  return { guard: guardOf(resource.name, request.headers), once: onceOf(resource, request, () => fingerprintOf(body ?? null)) };
}
