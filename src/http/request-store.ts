import { validTraceparent } from "../observe/traceparent";
import { exists, limited, ownValues, readable } from "../store/access";
import type { ChangeContext } from "../store/change-context";
import type { Store } from "../store/store";
import { noHistory, visibleHistory } from "../store/visible-history";
import { actorOf, nobody } from "./actor";
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
 * Returns a function that binds the store to a request. It shows only the records that the request's actor may see. Every change has
 * the request's actor, id, time of arrival and trace context. A context that the caller gives takes precedence.
 */
export function storesFor(store: Store): (request: Request) => RequestStore {
  return (request) => {
    const context = contextOf(request);
    const { actor } = context;
    return {
      insert: (resource, fields, own) => store.insert(resource, fields, { ...context, ...own }),
      insertAll: (resource, fields, answerOf, own) => store.insertAll(resource, fields, answerOf, { ...context, ...own }),
      insertEach: (resource, fields, answerOf, own) => store.insertEach(resource, fields, answerOf, { ...context, ...own }),
      update: (resource, id, change, own) => store.update(resource, id, change, { ...context, ...own }),
      remove: (resource, id, own) => store.remove(resource, id, { ...context, ...own }),
      restore: (resource, id, own) => store.restore(resource, id, { ...context, ...own }),
      transaction: (work, own) => store.transaction(work, { ...context, ...own }),
      get: async (resource, id) => readable(resource, await store.get(resource, id), actor),
      getAll: async (resource, ids) => (await store.getAll(resource, ids)).filter((stored) => exists(resource, stored, actor)),
      findByKey: async (resource, name, values) =>
        readable(resource, await store.findByKey(resource, name, ownValues(resource, values, actor)), actor),
      list: async (resource, listing) => store.list(resource, limited(resource, listing, actor)),
      // What is public is the present, and not what was changed or deleted.
      history: actor === nobody ? noHistory : visibleHistory(store.history, actor),
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
