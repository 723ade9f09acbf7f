import type { ConsumerHistory } from "./history";
import type { Share } from "./lanes";
import type { ConsumerState } from "./state";
import type { ConsumerStore } from "./store";
import type { ConsumerTables } from "./tables";

/** The stores of the consumers, each under the name of its queue. Reading never blocks a consumer that is running. */
export interface ConsumerStores {
  /** Their place, as messages show it. */
  readonly shown: string;
  /** True if all machines have the same stores. Otherwise, a queue of RabbitMQ can have a store on each machine. */
  readonly isShared: boolean;
  /** Returns the place of one queue's store, as messages show it. */
  shownOf(queue: string): string;
  /** Resolves with the queues that have a store, sorted by name. */
  queues(): Promise<string[]>;
  has(queue: string): Promise<boolean>;
  /**
   * Opens the store of a queue. Creates it if it does not exist.
   *
   * @param options.durable whether each commit must survive a power cut. It must if events are acknowledged to a broker. It need
   *   not if events are read again from the event log after a power cut.
   * @param options.patienceMs how long a transaction may wait for a lock, a statement or its process, in milliseconds. Default: 30 s.
   * @throws {Error} if a newer program wrote the store. This and every write reject with an error that {@link isBusy} recognises while
   *   another process holds a lock on it ({@link whenUnlocked} waits for that).
   */
  open(queue: string, options: { readonly durable: boolean; readonly patienceMs?: number }): Promise<ConsumerStore>;
  /** Resolves with the state of a queue's consumer. */
  state(queue: string, logId: string): Promise<ConsumerState>;
  /** Resolves with the history of one event. */
  history(queue: string, logId: string, eventId: string): Promise<ConsumerHistory>;
  /** Resolves with the position settled by the slowest embedded consumer of a log, or with null if there are no embedded consumers. */
  slowest(logId: string): Promise<number | null>;
  /** Resolves with the time of the last write to a queue's store. */
  changedAt(queue: string): Promise<Date>;
  /** Opens the tables of a queue's handlers to read them. Resolves with undefined if the queue has no store yet. */
  tables(queue: string): Promise<ConsumerTables | undefined>;
  /** Resolves with the names of the tables that a queue's handlers have created. */
  ownTables(queue: string): Promise<string[]>;
  /**
   * Deletes what a queue's consumer keeps of some events: those that wait, dead letters and attempts, so that their bytes are no longer in
   * its store. Its inbox keeps the ids. Resolves with the number of waiting events and dead letters.
   *
   * @param isChosen returns whether to delete what is kept of an event. `body` is its JSON.
   * @param options.isDryRun true: deletes nothing, and resolves with what it would delete.
   */
  erase(
    queue: string,
    isChosen: (event: { readonly id: string; readonly body: string }) => boolean,
    options?: { readonly isDryRun: boolean },
  ): Promise<number>;
  /**
   * Joins the processes that consume a queue.
   *
   * @param onChange called when the share of this process has changed.
   */
  join(queue: string, onChange: () => void): Promise<Share>;
  /** Resolves with the number of processes that consume a queue now. */
  consuming(queue: string): Promise<number>;
  /** Tells the API what a consumer of a queue says about itself. It may be lost. */
  report(queue: string, text: string): Promise<void>;
  /** Resolves with what consumers have said about themselves, as far as the API has to ask for it. */
  reports(): Promise<string[]>;
  /** Removes a queue's store. Resolves with false, and removes nothing, if a process consumes the queue. */
  remove(queue: string): Promise<boolean>;
  /** Closes what is open for the methods above. The stores that were opened are closed by themselves. */
  close(): Promise<void>;
}
