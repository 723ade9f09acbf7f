import { validTraceparent } from "../observe/traceparent";
import type { Resource } from "../schema/resource";
import { exists, limited, ownValues, readable } from "../store/access";
import { shown } from "../store/shown";
import type { InsertOutcome, Store } from "../store/store";
import type { Stored } from "../store/stored";
import type { TransactionContext } from "../store/transaction/transaction";
import { noHistory, visibleHistory } from "../store/visible-history";
import type { Pace } from "../timing/pace";
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
 * Returns a function that binds the store to a request. It shows only the records that the request's actor may see, without private
 * fields. Every change has the request's actor, id, time of arrival and trace context. A context that the caller gives takes precedence.
 *
 * @param pace slows down changes while events are produced faster than they are sent.
 */
export function storesFor(store: Store, pace: Pace): (request: Request) => RequestStore {
  const paced = <T>(change: () => Promise<T>): Promise<T> => {
    const turn = pace.enter();
    return turn ? turn.then(change).finally(() => pace.leave()) : change();
  };
  return (request) => {
    const actor = actorOf(request);
    // Only a change needs it.
    const context = () => contextOf(request);
    const show = <S extends Stored | undefined>(resource: Resource, stored: S) => (stored ? shown(resource, stored) : stored);
    const outcome = (resource: Resource, one: InsertOutcome) => (one instanceof Error ? one : shown(resource, one));
    return {
      insert: async (resource, fields, own) => show(resource, await paced(() => store.insert(resource, fields, { ...context(), ...own }))),
      insertAll: (resource, fields, answerOf, own) =>
        paced(() =>
          store.insertAll(resource, fields, (created) => answerOf(created.map((one) => show(resource, one))), { ...context(), ...own }),
        ),
      insertEach: (resource, fields, answerOf, own) =>
        paced(() =>
          store.insertEach(resource, fields, (made) => answerOf(made.map((one) => outcome(resource, one))), { ...context(), ...own }),
        ),
      update: async (resource, id, change, own) =>
        show(resource, await paced(() => store.update(resource, id, change, { ...context(), ...own }))),
      remove: async (resource, id, own) => show(resource, await paced(() => store.remove(resource, id, { ...context(), ...own }))),
      restore: async (resource, id, own) => show(resource, await paced(() => store.restore(resource, id, { ...context(), ...own }))),
      transaction: (work, own) => paced(() => store.transaction(work, { ...context(), ...own })),
      get: async (resource, id) => show(resource, readable(resource, await store.get(resource, id), actor)),
      getAll: async (resource, ids) => {
        const found = (await store.getAll(resource, ids)).filter((stored) => exists(resource, stored, actor));
        return found.map((stored) => show(resource, stored));
      },
      findByKey: async (resource, name, values) =>
        show(resource, readable(resource, await store.findByKey(resource, name, ownValues(resource, values, actor)), actor)),
      list: async (resource, listing) => {
        const page = await store.list(resource, limited(resource, listing, actor));
        return resource.private.length === 0 ? page : { ...page, rows: page.rows.map((stored) => show(resource, stored)) };
      },
      // Only the present is public, and not what was changed or deleted.
      history: actor === nobody ? noHistory : visibleHistory(store.history, actor),
    };
  };
}

function contextOf(request: Request): TransactionContext {
  return {
    actor: actorOf(request),
    traceparent: validTraceparent(request.headers.get("traceparent")),
    requestId: requestIdOf(request),
    requestedAt: arrivalOf(request),
  };
}
