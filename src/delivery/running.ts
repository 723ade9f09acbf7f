import type { BrokerLink } from "./broker-state";
import type { ChosenTransport } from "./transport";
import type { Worker } from "./worker";
import type { Counts } from "./worker-tally";

/**
 * Stage of a consumer: `waiting` for its queue or the database, `standing by` while another process has the queue,
 * `consuming`, or `replaced`: finishing events of a database or file that was removed or replaced.
 */
export type Stage = "waiting" | "standing by" | "consuming" | "replaced";

/** A running consumer, as health checks and metrics see it. */
export interface Watched {
  readonly worker: Pick<Worker, "consumer" | "tally" | "breaker">;
  /** Undefined on the embedded transport. */
  readonly broker: BrokerLink | undefined;
  readonly stage: () => Stage;
  /** Folder for messages that no queue accepts. Undefined if this consumer has none. */
  readonly quarantine?: string;
  /** Why its queue could drop events, as sentences; undefined: it could not. */
  readonly problems?: () => readonly string[];
}

export interface RunningConsumer extends Watched {
  readonly worker: Worker;
  readonly transport: ChosenTransport;
  readonly counts: Readonly<Counts>;
  /**
   * Resolves when every event that was committed before the call is handled, or waits for its time. Undefined on RabbitMQ.
   */
  readonly rests?: () => Promise<void>;
  /** Resolves when the consumer has stopped. Rejects if it cannot continue. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}
