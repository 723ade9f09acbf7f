/** An event as stored in the event log. */
export interface LogEntry {
  /** Position in commit order: greater than that of every event committed before it. Never reused. */
  readonly position: number;
  readonly id: string;
  readonly type: string;
  /** The id of the record that the event is about. */
  readonly subject: number;
  readonly timestamp: string;
  /** The complete event as JSON. */
  readonly body: string;
  /** W3C trace context of the request that made the change. Null if there is none. */
  readonly traceparent: string | null;
}

/** Events of some types, as far as they are about records of one owner and one tenant. */
export interface VisibleEvents {
  readonly types: readonly string[];
  /** Undefined for all owners. */
  readonly owner: string | undefined;
  /** Undefined for all tenants. */
  readonly scope: string | undefined;
}

/** Selects events of the log. */
export interface Scan {
  /** Only events of these types. Null selects all types. */
  readonly types: readonly string[] | null;
  /** Only events about records with this id. Null selects all records. */
  readonly subject: number | null;
  /** Only events that one of these includes. Undefined selects all events. */
  readonly visible?: readonly VisibleEvents[] | undefined;
  /** Maximum number of events. */
  readonly limit: number;
  /** Stop after the event with which the bodies reach this many characters in total. */
  readonly maxLength: number;
}

export interface Scanned {
  readonly entries: LogEntry[];
  /** The last position searched. `entries` is complete up to here. */
  readonly position: number;
}

/** Reads committed events. */
export interface LogReader {
  /** Resolves with up to `limit` events after `position`, in commit order. */
  read(position: number, limit: number): Promise<LogEntry[]>;
  /**
   * Resolves with the selected events after `position`, in commit order. One call searches a bounded part of the log,
   * so it may find none while more follow. Continue from the `position` in the result.
   */
  scan(position: number, scan: Scan): Promise<Scanned>;
  /**
   * Resolves with the selected events before `position`, newest first. Like {@link scan}, one call searches a bounded part of the log:
   * `entries` is complete from the `position` in the result on. Continue before that. It is 1 at the beginning of the log.
   */
  scanBack(position: number, scan: Scan): Promise<Scanned>;
  /** Resolves with the position of the newest event ever committed, or 0 if there was none. */
  end(): Promise<number>;
  /** Resolves with the position up to which all events are pruned, or 0 if none are. */
  pruned(): Promise<number>;
  /** Resolves with the position of the last event before a time (ISO 8601, UTC). Its accuracy depends on the clock that made the times. */
  positionBefore(time: string): Promise<number>;
}
