import { type Log, messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import type { Store } from "../store/store";
import { pause } from "../timing/pause";

/** Maximum pause between two steps, and pause after an error, in milliseconds. */
export const lookEveryMs = 1000;

/** Does something. Resolves with how long to wait before the next step, in milliseconds. */
type Step = () => Promise<number>;

interface LedTask {
  /** Name of the lease. */
  readonly name: string;
  /** Sentence for the log when a step has failed. */
  readonly trouble: string;
  /** Called each time that this process begins to lead. */
  begin(): Step;
}

/** Makes the steps of a task one after another, in one process at a time. */
export function keepStepping(store: Pick<Store, "lead">, log: Log, { name, trouble, begin }: LedTask): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const keep = async ({ until, holds }: Leadership) => {
    const step = begin();
    while (holds()) {
      const waitMs = await step().catch((error: unknown) => {
        log.warn({ error: messageOf(error) }, trouble);
        return lookEveryMs;
      });
      if (waitMs > 0 && holds()) await pause(waitMs, until);
    }
  };
  const lead = async () => {
    while (!stopping.signal.aborted) await store.lead(name, stopping.signal, keep);
  };
  const ended = lead();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
