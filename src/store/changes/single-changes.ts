import { inList } from "../../schema/refused-change";
import type { Store } from "../store";
import type { OnceIn } from "./once";
import type { RecordChanges } from "./record-changes";

type SingleChanges = Pick<Store, "insert" | "insertAll" | "insertEach" | "update" | "remove" | "restore">;

/** Returns the methods of a store that make one change each. */
export function singleChanges({ once, change }: OnceIn, records: RecordChanges): SingleChanges {
  return {
    insert: (resource, fields, context) => change(context?.once, () => records.insert(resource, fields, context)),
    insertAll(resource, fields, answerOf, { once: key, ...context } = {}) {
      const insert = (each: object, index: number) => inList(index, () => records.insert(resource, each, context));
      return once(key, () => answerOf(fields.map(insert)));
    },
    insertEach: (resource, fields, answerOf, { once: key, ...context } = {}) =>
      once(key, () => answerOf(fields.map((each) => records.tryInsert(resource, each, context)))),
    update: (resource, id, changed, context) => change(context?.once, () => records.update(resource, id, changed, context)),
    remove: (resource, id, context) => change(context?.once, () => records.remove(resource, id, context)),
    restore: (resource, id, context) => change(context?.once, () => records.restore(resource, id, context)),
  };
}
