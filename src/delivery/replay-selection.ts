import type { LogEntry } from "../store/log";

/** Which past events are sent again, and how. */
export interface ReplaySelection {
  /** Event types; null: all. */
  readonly types: readonly string[] | null;
  /** Only events of the record with this id. */
  readonly subject: number | null;
  /** Only events from this time on, ISO 8601 in UTC. */
  readonly from: string | null;
  /** Only events before this time, ISO 8601 in UTC. */
  readonly to: string | null;
  /** Events a second at most. */
  readonly rate: number | null;
  /** To be handled even by a consumer that has handled them before. */
  readonly force: boolean;
}

export function selects({ types, subject, from, to }: ReplaySelection, entry: LogEntry): boolean {
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
