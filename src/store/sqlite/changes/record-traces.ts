import type { Database } from "bun:sqlite";
import { tombstone } from "../../../schema/erasure";
import type { Resource } from "../../../schema/resource";
import type { DeletionLog } from "../../changes/deleted-referrers";
import type { RecordTraces } from "../../changes/erasing";
import type { LogEntry } from "../../log";
import type { Uncommitted } from "../commit/uncommitted";

/** Returns access to what the log and the stored answers have of records. What is deleted stays in free pages of the file until `scrub`. */
export function recordTraces(db: Database, uncommitted: Uncommitted): RecordTraces {
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
  return {
    eventsOf: ({ resource, id }) => known.all(id, typesOf(resource)).map((event) => event.id),
    bury: ({ resource, id }) => bury(id, typesOf(resource)),
    answersWith: (text) => answers.all(text),
    replaceAnswer: (number, answer) => replaceAnswer(answer, number),
  };
}

/** Returns access to the events of deletions. */
export function deletionLog(db: Database): DeletionLog {
  const deletions = db.prepare<Pick<LogEntry, "type" | "subject" | "body">, [string, number, number]>(
    "SELECT type, subject, body FROM events WHERE type = ? AND position > ? AND position <= ?",
  );
  const lastPosition = db.prepare<{ last: number | null }, []>("SELECT max(position) AS last FROM events");
  return {
    end: async () => lastPosition.get()?.last ?? 0,
    deletions: async (type, after, upTo) => deletions.all(type, after, upTo),
  };
}
