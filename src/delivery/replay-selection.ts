import type { LogEntry } from "../store/log";

/** Past events to send again, and how to send them. */
export interface ReplaySelection {
  /** Event types to select. Null selects all. */
  readonly types: readonly string[] | null;
  /** Id of the record whose events to select. Null selects all. */
  readonly subject: number | null;
  /** Earliest time of an event, ISO 8601 in UTC. Null: no limit. */
  readonly from: string | null;
  /** Time before which an event must be, ISO 8601 in UTC. Null: no limit. */
  readonly to: string | null;
  /** Maximum number of events per second. Null: no limit. */
  readonly rate: number | null;
  /** True if a consumer handles events again that it has already handled. */
  readonly force: boolean;
}

export function matchesSelection({ types, subject, from, to }: ReplaySelection, entry: LogEntry): boolean {
  return (
    (types === null || types.includes(entry.type)) &&
    (subject === null || entry.subject === subject) &&
    (from === null || entry.timestamp >= from) &&
    (to === null || entry.timestamp < to)
  );
}

export function parseSelection(text: string): ReplaySelection {
  return JSON.parse(text) as ReplaySelection;
}
