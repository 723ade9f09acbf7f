import { validTraceparent } from "../observe/traceparent";
import type { ChangeContext } from "../store/change-context";
import type { Store } from "../store/store";
import { actorOf } from "./actor";
import { arrivalOf } from "./arrival";
import { requestIdOf } from "./request-id";

/** The records of the store, as one request reads and changes them. */
export type RequestStore = Pick<
  Store,
  | "insert"
  | "insertAll"
  | "insertEach"
  | "update"
  | "remove"
  | "restore"
  | "transaction"
  | "get"
  | "getAll"
  | "findByKey"
  | "list"
  | "history"
>;

/**
 * Returns a function that binds the store to a request. Every change then has the request's actor, id, time of arrival and trace
 * context. A context that the caller gives takes precedence.
 */
export function storesFor(store: Store): (request: Request) => RequestStore {
  return (request) => {
    const context = contextOf(request);
    return {
      insert: (resource, fields, own) => store.insert(resource, fields, { ...context, ...own }),
      insertAll: (resource, fields, answerOf, own) => store.insertAll(resource, fields, answerOf, { ...context, ...own }),
      insertEach: (resource, fields, answerOf, own) => store.insertEach(resource, fields, answerOf, { ...context, ...own }),
      update: (resource, id, change, own) => store.update(resource, id, change, { ...context, ...own }),
      remove: (resource, id, own) => store.remove(resource, id, { ...context, ...own }),
      restore: (resource, id, own) => store.restore(resource, id, { ...context, ...own }),
      transaction: (work, own) => store.transaction(work, { ...context, ...own }),
      get: (resource, id) => store.get(resource, id),
      getAll: (resource, ids) => store.getAll(resource, ids),
      findByKey: (resource, name, values) => store.findByKey(resource, name, values),
      list: (resource, listing) => store.list(resource, listing),
      history: store.history,
    };
  };
}

function contextOf(request: Request): Omit<ChangeContext, "emit"> {
  return {
    actor: actorOf(request),
    traceparent: validTraceparent(request.headers.get("traceparent")),
    requestId: requestIdOf(request),
    requestedAt: arrivalOf(request),
  };
}
