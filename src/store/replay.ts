/** A replay of past events to one queue, with its progress. */
export interface ReplayRow {
  /** UUIDv7. */
  readonly id: string;
  readonly logId: string;
  readonly queue: string;
  /** 1 if the replay fills a new queue, which is bound to current events when the replay ends. Otherwise 0. */
  readonly fill: number;
  /** The selection of events to replay, as JSON. */
  readonly selection: string;
  /** The position at which the replay began. */
  readonly first: number;
  /** All events up to this position are settled. */
  readonly position: number;
  /** Events after `position` and up to this position may have reached the handler. */
  readonly begun: number;
  /** The position of the last event to replay. */
  readonly last: number;
  /** Number of matching events so far. */
  readonly sent: number;
  /** Number of matching events that RabbitMQ refused, so that they are in quarantine instead. */
  readonly refused: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Why the replay failed. Null if it did not. */
  readonly error: string | null;
}

export type NewReplay = Pick<ReplayRow, "id" | "logId" | "queue" | "fill" | "selection" | "first" | "last" | "createdAt">;

export type ReplayProgress = Pick<ReplayRow, "position" | "begun" | "sent" | "refused" | "finishedAt" | "error">;

/** Replay state of an event: `yes` if it is replayed. A `forced` one is handled even if it was handled before. */
export type ReplayMark = "no" | "yes" | "forced";
