import type { Consumer } from "../delivery/consumer-options";
import { messageOf } from "../observe/logging";
import { StoreUnavailable } from "../store/errors";
import { unavailable, whenUnlocked } from "../store/open";

const tryEveryMs = 250;

/** Writes to a consumer's store, and waits for its disk and for locks of other processes. */
export class PatientWrites {
  constructor(
    readonly consumer: Pick<Consumer, "queue" | "log">,
    readonly stop: AbortSignal,
  ) {}

  /** Retries until the write succeeds. Resolves with false if the consumer stops before that. */
  async write(work: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await whenUnlocked(work);
        return true;
      } catch (error) {
        if (!(unavailable(error) instanceof StoreUnavailable)) throw error;
        const { queue, log } = this.consumer;
        log.warn({ queue, error: messageOf(error) }, "Cannot write the consumer's file; retrying");
        if (this.stop.aborted) return false;
        await Bun.sleep(tryEveryMs);
      }
    }
  }
}
