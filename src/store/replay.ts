/** A replay of past events to one queue, and how far it has come. */
export interface ReplayRow {
  /** UUIDv7. */
  readonly id: string;
  readonly logId: string;
  readonly queue: string;
  /** 1: it fills a new queue, which is bound to present events at its end. */
  readonly fill: number;
  /** What is replayed, as JSON. */
  readonly selection: string;
  /** Where it began. */
  readonly first: number;
  /** Everything up to here is settled. */
  readonly position: number;
  /** Everything after `position` and up to here may have reached the handler. */
  readonly begun: number;
  /** The position of the last event. */
  readonly last: number;
  /** Events that matched so far. */
  readonly sent: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** Why it could not be finished. */
  readonly error: string | null;
}

export type NewReplay = Pick<ReplayRow, "id" | "logId" | "queue" | "fill" | "selection" | "first" | "last" | "createdAt">;

export type ReplayProgress = Pick<ReplayRow, "position" | "begun" | "sent" | "finishedAt" | "error">;

/** `forced`: to be handled even if it was handled before. */
export type ReplayMark = "no" | "yes" | "forced";
