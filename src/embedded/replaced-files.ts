import type { Consumer } from "../delivery/consumer-options";
import type { ConsumerStore } from "../store/consumer/store";
import type { LogFollower } from "../store/log-follower";

const lookEveryMs = 1000;

/** Detects that the log or the consumer's own store was removed or replaced while the consumer runs. */
export class ReplacedFiles {
  #lookedAt = performance.now();
  #what: "log" | "file" | undefined;

  /** @param onReplaced called once, on detection. */
  constructor(
    readonly consumer: Pick<Consumer, "queue" | "log">,
    readonly log: Pick<LogFollower, "isReplaced">,
    readonly store: Pick<ConsumerStore, "isReplaced">,
    readonly onReplaced: () => void,
  ) {}

  /** Resolves with which of the two was replaced, or with undefined. Checks once a second at most. */
  async look(): Promise<"log" | "file" | undefined> {
    if (this.#what || performance.now() - this.#lookedAt < lookEveryMs) return this.#what;
    this.#lookedAt = performance.now();
    if (this.log.isReplaced()) this.#what = "log";
    else if (await this.store.isReplaced()) this.#what = "file";
    if (this.#what) this.#tell(this.#what === "log" ? "The database" : "The consumer's file");
    return this.#what;
  }

  #tell(what: string): void {
    const { queue, log } = this.consumer;
    log.warn({ queue }, `${what} was removed or replaced; finishing the events in progress, then continuing with the current one`);
    this.onReplaced();
  }
}
