/** One attempt to handle an event. */
export interface Attempt {
  /** Number of the attempt, from 1. Restarts after a redrive. */
  readonly attempt: number;
  /** Time of the attempt, in milliseconds since 1970. */
  readonly at: number;
  readonly outcome: "handled" | "retry" | "dead-letter";
  /** Why the event became a dead letter. Null for other outcomes. */
  readonly reason: string | null;
  readonly error: string | null;
  /** When the next attempt is due, in milliseconds since 1970. Null if there is no next attempt. */
  readonly dueAt: number | null;
}

/** Records the newest attempts on events that have failed at least once. */
export interface AttemptTable {
  add(id: string, attempt: Attempt): Promise<void>;
}
