/** An event as it stands in the log. */
export interface LogEntry {
  /** Its place in commit order: greater than that of every event committed before it. Never used twice. */
  readonly position: number;
  readonly id: string;
  readonly type: string;
  /** The id of the record that the event is about. */
  readonly subject: number;
  readonly timestamp: string;
  /** The whole event, as JSON. */
  readonly body: string;
  /** W3C trace context of the request that made the change. */
  readonly traceparent: string | null;
}

/** Which events of a part of the log. */
export interface Scan {
  /** Null: of any type. */
  readonly types: readonly string[] | null;
  /** The id of the record that they are about; null: of any. */
  readonly subject: number | null;
  /** Maximum number of events. */
  readonly limit: number;
  /** Stops before that with the event whose body reaches this many characters in all. */
  readonly maxLength: number;
}

export interface Scanned {
  readonly entries: LogEntry[];
  /** How far the log was looked through: up to here nothing that was asked for is left out. */
  readonly position: number;
}

/** Reads the events that are committed. */
export interface LogReader {
  /** Up to `limit` events after `position`, in commit order. */
  read(position: number, limit: number): Promise<LogEntry[]>;
  /**
   * Those of the events after `position` that are asked for, in commit order. Looks through a bounded part of the log,
   * however long that is: so there may be fewer than there are, even none.
   */
  scan(position: number, scan: Scan): Promise<Scanned>;
  /** The position of the newest event; 0 for an empty log. */
  end(): Promise<number>;
  /** The position up to which every event was pruned; 0: none was. */
  pruned(): Promise<number>;
  /** The position of the last event from before a time (ISO 8601, UTC). As exact as the clock that made the times was steady. */
  positionBefore(time: string): Promise<number>;
}
