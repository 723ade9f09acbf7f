import type { Database } from "bun:sqlite";
import type { LogEntry } from "../../log";
import type { Store } from "../../store";
import { reading } from "../connection/reading";
import { entryColumns } from "./bounded-entries";

/** The event whose handler made the change. The index has only events with a cause, so the others cost nothing more. */
export const causeSchema = `
  ALTER TABLE events ADD COLUMN cause TEXT;
  CREATE INDEX events_cause ON events (cause) WHERE cause IS NOT NULL;
`;

/** Returns a function that finds the events that an event has caused. */
export function causedEvents(db: Database): Store["causedBy"] {
  const caused = db.prepare<LogEntry, [string, number, number]>(
    `SELECT ${entryColumns} FROM events WHERE cause = ? AND position > ? ORDER BY position LIMIT ?`,
  );
  return async (id, limit, after = 0) => reading(() => caused.all(id, after, limit));
}
