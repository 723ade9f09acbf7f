import type { Database } from "bun:sqlite";
import { tombstone } from "../../schema/erasure";
import type { Resource } from "../../schema/resource";
import type { ChangeContext } from "../change-context";
import { type ErasedRecord, type Erasure, withoutData } from "../erasure";
import { planRemoval } from "../removal";
import type { Store } from "../store";
import type { Constraints } from "./constraints";
import { deletedReferrers } from "./deleted-referrers";
import type { EventAppender } from "./event-appender";
import type { GroupCommit } from "./group-commit";
import type { RecordChanges } from "./record-changes";

interface ErasingMeans {
  readonly db: Database;
  readonly resources: readonly Resource[];
  readonly commits: GroupCommit;
  readonly records: RecordChanges;
  readonly constraints: Constraints;
  readonly events: EventAppender;
}

/** Returns the function that erases records. What it deletes stays in free pages of the file until `scrub`. */
export function erasing({ db, resources, commits, records, constraints, events }: ErasingMeans): Store["erase"] {
  const { uncommitted } = commits;
  const known = db.prepare<{ id: string }, [number, string]>(
    "SELECT id FROM events WHERE subject = ? AND type IN (SELECT value FROM json_each(?)) ORDER BY position",
  );
  const answers = db.prepare<{ number: number; answer: string }, [string]>(
    "SELECT number, answer FROM idempotency_keys WHERE instr(answer, ?) > 0",
  );
  const bury = uncommitted.prepare(
    `UPDATE events SET type = '${tombstone}', body = '{"id":"' || id || '","type":"${tombstone}","timestamp":"' || timestamp || '"}',
       traceparent = NULL, requestId = NULL, requestedAt = NULL, owner = NULL, scope = NULL
     WHERE subject = ? AND type IN (SELECT value FROM json_each(?))`,
  );
  const replaceAnswer = uncommitted.prepare("UPDATE idempotency_keys SET answer = ? WHERE number = ?");
  const typesOf = ({ eventTypes }: Resource) => JSON.stringify(eventTypes);

  const deletedWith = deletedReferrers(db, resources);
  const exists = ({ resource, id }: ErasedRecord) => records.table(resource).has(id);

  /** Returns the record and the existing ones that are deleted with it, in the order of deletion. */
  function existing(root: ErasedRecord): readonly ErasedRecord[] {
    return exists(root) ? planRemoval(root, (record) => constraints.affected(record)).removed : [root];
  }

  /** @param deleted records that were deleted before. One may have been restored since it was found. */
  function plan(root: ErasedRecord, deleted: readonly ErasedRecord[]): Erasure | undefined {
    const all = [...deleted.filter((record) => !exists(record)), ...existing(root)];
    const found = all.flatMap(({ resource, id }) => known.all(id, typesOf(resource)).map((event) => event.id));
    return exists(root) || found.length > 0 ? { records: all, events: found } : undefined;
  }

  function erase(root: ErasedRecord, deleted: readonly ErasedRecord[], context: ChangeContext): Erasure | undefined {
    const planned = plan(root, deleted);
    if (!planned) return undefined;
    for (const { resource, id } of planned.records) {
      for (const { number, answer } of answers.all(`"id":${id}`)) {
        const rest = withoutData({ resource, id }, answer);
        if (rest !== answer) replaceAnswer(rest, number);
      }
    }
    records.remove(root.resource, root.id, context);
    for (const { resource, id } of planned.records) {
      // The event of the deletion, which this commit adds, is erased, too: it would have the last state.
      bury(id, typesOf(resource));
      events.appendErased(resource, id, context);
    }
    return planned;
  }

  return async (resource, id, { isDryRun = false, ...context } = {}) => {
    const root = { resource, id };
    const deleted = await deletedWith(await commits.run(() => existing(root)));
    return commits.run(() => (isDryRun ? plan(root, deleted) : erase(root, deleted, context)));
  };
}
