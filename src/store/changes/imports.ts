import { BrokenHook } from "../../schema/hook";
import { stepsOf, valuesAt } from "../../schema/path-values";
import { Conflict, InvalidRecord, RefusedChange } from "../../schema/refused-change";
import type { Resource } from "../../schema/resource";
import { decideChange } from "../decide";
import type { Imported } from "../import";
import type { ImportOutcome, Store } from "../store";
import type { Stored } from "../stored";
import type { Commits } from "./commits";
import type { RecordChanges } from "./record-changes";

/** @param isUsed returns whether the committed log has an event of a record. */
export function importsInto(
  commits: Commits,
  records: RecordChanges,
  isUsed: (resource: Resource, id: number) => boolean,
): Store["importEach"] {
  function one(resource: Resource, { id, fields }: Imported): ImportOutcome {
    const current = id === undefined ? undefined : records.of(resource).get(id);
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
  return (resource, imported) =>
    commits.run(() => {
      const outcomes = imported.map((each) => one(resource as Resource, each));
      return withCircles(resource as Resource, imported, outcomes, records);
    });
}

/**
 * Creates those of the refused records that refer to each other, or to records that came after them. Returns the outcomes with theirs.
 */
function withCircles(
  resource: Resource,
  imported: readonly Imported[],
  outcomes: readonly ImportOutcome[],
  records: RecordChanges,
): ImportOutcome[] {
  const waiting = imported.filter((record, index) => outcomes[index] instanceof InvalidRecord && isValid(resource, record));
  const ready = complete(resource, waiting, records);
  if (ready.length === 0) return [...outcomes];
  const created = records.attempt(() => ready.map(({ id, fields }) => records.insert(resource, fields, undefined, id)));
  if (!Array.isArray(created)) return [...outcomes];
  const byRecord = new Map(ready.map((record, index) => [record, created[index] as Stored]));
  return outcomes.map((outcome, index) => byRecord.get(imported[index] as Imported) ?? outcome);
}

/** Returns whether a record is valid but for its references. */
function isValid(resource: Resource, { id, fields }: Imported): boolean {
  if (id === undefined) return false;
  try {
    decideChange(resource, fields, { id, previous: undefined, now: "", actor: undefined });
    return true;
  } catch {
    return false;
  }
}

/** Returns those records that refer only to records that exist, or to others of those returned. */
function complete(resource: Resource, waiting: readonly Imported[], records: RecordChanges): readonly Imported[] {
  const ids = new Set<unknown>(waiting.map(({ id }) => id));
  const isThere = (to: string, id: unknown) => (to === resource.name && ids.has(id)) || records.records.get(to)?.has(id as number);
  const references = resource.references.map(({ path, to }) => ({ steps: stepsOf(path), to }));
  const ready = waiting.filter(({ fields }) =>
    references.every(({ steps, to }) => valuesAt(fields, steps).every(({ value }) => isThere(to, value))),
  );
  return ready.length === waiting.length ? ready : complete(resource, ready, records);
}
