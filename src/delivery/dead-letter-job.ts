import type { DeadSelection } from "./dead-letters";

/** Work on many dead letters of a queue, which goes on after the request that began it. */
export interface DeadLetterJob {
  readonly id: string;
  readonly action: "redrive" | "discard";
  readonly queue: string;
  readonly selection: DeadSelection;
  /** `queued`: begins when the jobs of the queue before it have ended. */
  readonly state: "queued" | "running" | "finished" | "stopped" | "failed";
  /** Number of dead letters that were looked at. */
  readonly looked: number;
  /** Number of dead letters to look at. */
  readonly total: number;
  /** Number of those redriven or discarded. Known at the end. */
  readonly done: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Who began it. Null without tokens. */
  readonly by: string | null;
  readonly error: string | null;
  /** The process that works on it. It ends with that process. */
  readonly process: { readonly host: string; readonly pid: number };
}
