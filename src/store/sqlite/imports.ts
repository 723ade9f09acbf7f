import { BrokenHook } from "../../schema/hook";
import { Conflict, RefusedChange } from "../../schema/refused-change";
import type { Resource } from "../../schema/resource";
import { decideChange } from "../decide";
import type { Imported } from "../import";
import type { ImportOutcome, Store } from "../store";
import type { GroupCommit } from "./group-commit";
import type { RecordChanges } from "./record-changes";

/** @param isUsed returns whether the committed log has an event of a record. */
export function importsInto(
  commits: GroupCommit,
  records: RecordChanges,
  isUsed: (resource: Resource, id: number) => boolean,
): Store["importEach"] {
  function one(resource: Resource, { id, fields }: Imported): ImportOutcome {
    const current = id === undefined ? undefined : records.table(resource).current(id);
    const { name } = resource;
    if (id === undefined || (!current && !isUsed(resource, id))) return records.tryInsert(resource, fields, undefined, id);
    if (!current)
      return new Conflict(`A ${name} ${id} was deleted, and ids are not used again. Leave out \`id\` to get a new one, or restore it.`);
    try {
      const { isChange } = decideChange(resource, fields, { id, previous: current, now: "", actor: undefined });
      return isChange ? new Conflict(`There is another ${name} ${id}. Leave out \`id\` to get a new one.`) : "present";
    } catch (error) {
      if (!(error instanceof RefusedChange || error instanceof BrokenHook)) throw error;
      return new Conflict(`There is another ${name} ${id}, and this one is not valid.`);
    }
  }
  return (resource, imported) => commits.run(() => imported.map((each) => one(resource as Resource, each)));
}
