import type { BrokerLink } from "./broker-state";
import type { Transport } from "./transport-name";
import type { Worker } from "./worker";
import type { Counts } from "./worker-tally";

/** How far a consumer has come to its events. */
export type Stage = "waiting" | "standing by" | "consuming" | "replaced";

/** A consumer that runs in this process, as those see it who look after it. */
export interface Watched {
  readonly worker: Pick<Worker, "consumer" | "tally" | "breaker">;
  /** Undefined: the embedded transport. */
  readonly broker: BrokerLink | undefined;
  readonly stage: () => Stage;
  /** The folder with files of messages that no queue takes. Undefined: this consumer makes none. */
  readonly quarantine?: string;
  /** Why its queue could drop events, as sentences; undefined: it could not. */
  readonly problems?: () => readonly string[];
}

export interface RunningConsumer extends Watched {
  readonly worker: Worker;
  readonly transport: Transport;
  readonly counts: Readonly<Counts>;
  /** Fulfils when the consumer has stopped; rejects when it cannot go on. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}
