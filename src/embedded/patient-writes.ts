import type { Consumer } from "../delivery/consumer-options";
import { messageOf } from "../observe/logging";
import { StoreUnavailable } from "../store/errors";
import { whenUnlocked } from "../store/sqlite/lock-wait";
import { unavailable } from "../store/sqlite/unavailable";

const tryEveryMs = 250;

/** Writes into a consumer's file, when its disk and the locks of other processes allow it. */
export class PatientWrites {
  constructor(
    readonly consumer: Pick<Consumer, "queue" | "log">,
    readonly stop: AbortSignal,
  ) {}

  /** Tries until it works. False: it was not written, and the consumer stops. */
  async write(work: () => void): Promise<boolean> {
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
