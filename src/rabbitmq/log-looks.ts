import type { LogReader } from "../store/log";
import type { Pace } from "../timing/pace";
import { pause } from "../timing/pause";

const lookEveryMs = 100;

export interface LogLooksOptions {
  readonly log: Pick<LogReader, "end">;
  /** Resolves with the position up to which all is confirmed, if only the store knows it: undefined while this process sends. */
  readonly position: () => Promise<number | undefined>;
  readonly pace: Pace;
  /** Aborts when nothing more is to be sent. */
  readonly stopping: AbortSignal;
}

/** Tells a pace how far the log has come, and the process that sends it, where only the store knows: several processes write to it. */
export class LogLooks {
  #isLooking = false;
  #isWanted = false;

  constructor(readonly options: LogLooksOptions) {}

  /** Looks now, or soon if it has just looked. */
  look(): void {
    this.#isWanted = true;
    if (!this.#isLooking) void this.#work();
  }

  async #work(): Promise<void> {
    const { pace, stopping } = this.options;
    this.#isLooking = true;
    while (!stopping.aborted && (this.#isWanted || pace.isHolding)) {
      this.#isWanted = false;
      // A store that does not answer slows requests down by itself.
      await this.#once().catch(() => {});
      await pause(lookEveryMs, stopping);
    }
    this.#isLooking = false;
  }

  async #once(): Promise<void> {
    const { log, position, pace } = this.options;
    const confirmed = await position();
    if (confirmed !== undefined) pace.confirmedTo(confirmed);
    pace.producedTo(await log.end());
  }
}
