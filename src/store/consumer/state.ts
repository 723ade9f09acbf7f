/** State of an embedded consumer, which reads the event log itself. */
export interface ConsumerState {
  /** All events up to this position are settled or wait. Null if the consumer has not read this log. */
  readonly position: number | null;
  /** Number of events that wait for their next attempt. */
  readonly waiting: number;
  /** Number of dead letters. */
  readonly dead: number;
  /** Number of processes that run the consumer now. */
  readonly processes: number;
}
