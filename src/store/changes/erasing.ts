import type { Resource } from "../../schema/resource";
import type { ChangeContext } from "../change-context";
import { type ErasedRecord, type Erasure, withoutData } from "../erasure";
import { planRemoval } from "../removal";
import type { Store } from "../store";
import type { Commits } from "./commits";
import type { Constraints } from "./constraints";
import { type DeletionLog, deletedReferrers } from "./deleted-referrers";
import type { EventAppender } from "./event-appender";
import type { RecordChanges } from "./record-changes";

/** The data of records in an engine besides the records: reads it as last committed, and writes with the running change. */
export interface RecordTraces {
  /** Returns the ids of a record's events, in order. Without the event of an earlier erasure. */
  eventsOf(record: ErasedRecord): readonly string[];
  /** Replaces a record's events with tombstones. Also those that the running change adds. */
  bury(record: ErasedRecord): void;
  /** Returns the stored answers to requests that contain a text. `number` identifies each. */
  answersWith(text: string): readonly { readonly number: number; readonly answer: string }[];
  replaceAnswer(number: number, answer: string): void;
}

interface ErasingMeans {
  readonly resources: readonly Resource[];
  readonly commits: Commits;
  readonly records: RecordChanges;
  readonly constraints: Constraints;
  readonly events: EventAppender;
  readonly traces: RecordTraces;
  readonly deletions: DeletionLog;
}

/** Returns the function that erases records. */
export function erasing({ resources, commits, records, constraints, events, traces, deletions }: ErasingMeans): Store["erase"] {
  const deletedWith = deletedReferrers(deletions, resources);
  const exists = ({ resource, id }: ErasedRecord) => records.of(resource).has(id);

  /** Returns the record and the existing ones that are deleted with it, in the order of deletion. */
  function existing(root: ErasedRecord): readonly ErasedRecord[] {
    return exists(root) ? planRemoval(root, (record) => constraints.affected(record)).removed : [root];
  }

  /** @param deleted records that were deleted before. One may have been restored since it was found. */
  function plan(root: ErasedRecord, deleted: readonly ErasedRecord[]): Erasure | undefined {
    const all = [...deleted.filter((record) => !exists(record)), ...existing(root)];
    const found = all.flatMap((record) => traces.eventsOf(record));
    return exists(root) || found.length > 0 ? { records: all, events: found } : undefined;
  }

  function erase(root: ErasedRecord, deleted: readonly ErasedRecord[], context: ChangeContext): Erasure | undefined {
    const planned = plan(root, deleted);
    if (!planned) return undefined;
    for (const { resource, id } of planned.records) {
      for (const { number, answer } of traces.answersWith(`"id":${id}`)) {
        const rest = withoutData({ resource, id }, answer);
        if (rest !== answer) traces.replaceAnswer(number, rest);
      }
    }
    records.remove(root.resource, root.id, context);
    for (const record of planned.records) {
      // The event of the deletion, which this commit adds, is erased, too: it would have the last state.
      traces.bury(record);
      events.appendErased(record.resource, record.id, context);
    }
    return planned;
  }

  return async (resource, id, { isDryRun = false, ...context } = {}) => {
    const root = { resource, id };
    const deleted = await deletedWith(await commits.run(() => existing(root), { isExact: true }));
    return commits.run(() => (isDryRun ? plan(root, deleted) : erase(root, deleted, context)), { isExact: true });
  };
}
