import type { Consumer } from "../delivery/consumer-options";
import { messageOf } from "../observe/logging";
import { StoreUnavailable } from "../store/errors";
import { unavailable, whenUnlocked } from "../store/open";

const tryEveryMs = 250;

/** Writes to a consumer's store, and waits for its disk or database, and for locks of other processes. */
export class PatientWrites {
  constructor(
    readonly consumer: Pick<Consumer, "queue" | "log" | "storeTrouble">,
    readonly stop: AbortSignal,
  ) {}

  /**
   * Pauses before something is tried again that failed with an error.
   *
   * @throws the error, if it does not mean that the store is unavailable.
   */
  async pauseFor(error: unknown): Promise<void> {
    if (!(unavailable(error) instanceof StoreUnavailable)) throw error;
    const { queue, log, storeTrouble } = this.consumer;
    const why = messageOf(error);
    if (storeTrouble.begin(why)) log.warn({ queue, error: why }, "Cannot read or write what the consumer keeps; retrying");
    if (!this.stop.aborted) await Bun.sleep(tryEveryMs);
  }

  /** Retries until the write succeeds. Resolves with false if the consumer stops before that. */
  async write(work: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await whenUnlocked(work);
        this.consumer.storeTrouble.end();
        return true;
      } catch (error) {
        await this.pauseFor(error);
        if (this.stop.aborted) return false;
      }
    }
  }
}
