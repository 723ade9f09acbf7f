import type { ReplayMark } from "../replay";

/** A dead letter: an event that a consumer gave up on, as its store keeps it. */
export interface DeadRow {
  readonly number: number;
  readonly id: string;
  /** Event type. Null if it cannot be read from the body. */
  readonly type: string | null;
  readonly body: string;
  readonly reason: string;
  readonly error: string;
  readonly stack: string | null;
  readonly attempts: number;
  readonly firstFailure: string;
  readonly lastFailure: string;
  readonly replay: ReplayMark;
  /** W3C trace context of the event. */
  readonly traceparent: string | null;
}

/** Selects dead letters. All given criteria must match. */
export interface DeadSelection {
  readonly ids?: readonly string[] | undefined;
  readonly type?: string | undefined;
  readonly reason?: string | undefined;
}

export interface DeadLetterTable {
  add(dead: Omit<DeadRow, "number">): Promise<void>;
  count(): Promise<number>;
  /** Resolves with up to `limit` selected dead letters after the row `after`, oldest first. */
  list(selection: DeadSelection, after: number, limit: number): Promise<DeadRow[]>;
  /** Resolves with the number of the newest row, or 0 if there is none. */
  last(): Promise<number>;
  remove(number: number): Promise<void>;
}
