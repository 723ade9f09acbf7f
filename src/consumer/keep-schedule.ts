import type { Consumer } from "../delivery/consumer-options";
import { messageOf } from "../observe/logging";
import type { Schedules } from "../store/schedules";
import { now, wakeAt } from "../timing/clock";
import { pause } from "../timing/pause";

/** Interval at which a schedule is announced, in milliseconds. It stops if nobody does so for 7 days. */
const announceEveryMs = 6 * 60 * 60 * 1000;
/** Pause before another try, in milliseconds. */
const tryEveryMs = 500;

/** Keeps the schedule of a consumer going, as long as the consumer runs. */
export class KeptSchedule {
  readonly #stopping = new AbortController();
  #announced: Promise<boolean> = Promise.resolve(false);
  #cancelNext = () => {};

  constructor(
    readonly consumer: Pick<Consumer, "queue" | "schedule" | "log">,
    readonly announce: Schedules["announce"],
  ) {}

  /**
   * Announces the schedule, and again from time to time. Call it when the consumer gets its events, so that it misses none. Resolves with
   * true when the service has the schedule, or with false if the consumer stops before that.
   */
  begin(): Promise<boolean> {
    this.#cancelNext();
    if (this.#stopping.signal.aborted) return this.#announced;
    this.#cancelNext = wakeAt(now() + announceEveryMs, () => void this.begin());
    this.#announced = this.#announced.then(() => this.#tell());
    return this.#announced;
  }

  /** Resolves when no announcement is under way. */
  get announced(): Promise<unknown> {
    return this.#announced;
  }

  stop(): void {
    this.#stopping.abort();
    this.#cancelNext();
  }

  async #tell(): Promise<boolean> {
    const { queue, schedule, log } = this.consumer;
    for (let isTold = false; schedule && !this.#stopping.signal.aborted; isTold = true) {
      try {
        await this.announce(schedule);
        if (isTold) log.info({ queue }, "The service has the schedule");
        return true;
      } catch (error) {
        if (!isTold) log.warn({ queue, error: messageOf(error) }, "Cannot announce the schedule to the service; retrying");
        await pause(tryEveryMs, this.#stopping.signal);
      }
    }
    return false;
  }
}
