/** A consumer's progress in an event log. */
export interface Progress {
  /** All events up to this position are settled or wait in the consumer's store. */
  readonly position: number;
  /** Events after `position` and up to this position may have reached a handler. */
  readonly begun: number;
}

/**
 * A part of a queue: the events of some records. One process at a time has a lane, so that events of one record are handled one after
 * another whichever processes consume the queue.
 */
export interface Lane {
  /** From 0. The events of a record are in the lane with the number `subject % lanes`. */
  readonly number: number;
  /** Greater than at each earlier time that a process took this lane, so the store can refuse what comes from an earlier holder. */
  readonly epoch: number;
}

/** How far the holder of a lane is. */
export interface LaneProgress extends Progress {
  readonly lane: Lane;
}

/** The lanes of a queue that this process has, beside other processes that consume it. */
export interface Share {
  /** Number of lanes of the queue. */
  readonly count: number;
  /** The lanes to consume. Another process may take any other, once it is released or lost. */
  readonly lanes: readonly Lane[];
  /** Lanes that this process still has, and that another one should have: to be released. */
  readonly surplus: readonly Lane[];
  /**
   * Returns whether no other process can have the lane now. Ask right before each event that is handled: a process that was suspended
   * may have lost it without knowing.
   */
  holds(lane: Lane): boolean;
  /** Lets another process take a lane that is no longer among {@link lanes}, after its events are settled and its progress is saved. */
  release(lane: Lane): Promise<void>;
  /** Releases all lanes. Never rejects: if the database cannot be reached, they are free after some seconds. */
  leave(): Promise<void>;
}

/** Another process has taken a lane of the events that were to be committed. Nothing is committed. */
export class LaneLost extends Error {
  override readonly name = "LaneLost";
  constructor() {
    super("Another process has taken a lane of these events");
  }
}

/** The lane of a queue that only one process consumes. */
export const onlyLane: Lane = { number: 0, epoch: 1 };

/** Returns the share of a process that has a queue for itself. */
export function wholeShare(): Share {
  return { count: 1, lanes: [onlyLane], surplus: [], holds: () => true, release: async () => {}, leave: async () => {} };
}
