import type { ConfirmChannel } from "amqplib";

/** Members of amqplib's confirm channel that its types leave out. */
interface Unconfirmed {
  /** Number of the oldest message that is not confirmed. */
  readonly lwm?: number;
  readonly unconfirmed?: readonly unknown[];
}

/** Shortest and longest time in milliseconds that a message may wait for its confirm. A new leader of a quorum queue takes about 15 s. */
const [shortestMs, longestMs] = [30_000, 240_000];
const lookEveryMs = 1_000;

/**
 * Notices a node that answers heartbeats but confirms nothing, such as one that is cut off from the other nodes. Each time that it does,
 * the time doubles until something is confirmed, since another node may not help either.
 */
export class ConfirmDeadline {
  #deadlineMs = shortestMs;
  /** The oldest unconfirmed message of each channel, and since when it is known. */
  readonly #oldest = new Map<ConfirmChannel & Unconfirmed, { number: number | undefined; since: number }>();
  readonly #timer: Timer;

  /**
   * @param isBlocked Returns true while RabbitMQ accepts no messages and says so.
   * @param onOverdue Called with the time in milliseconds that a message has waited. The channels are then no longer watched.
   */
  constructor(
    readonly isBlocked: () => boolean,
    readonly onOverdue: (waitedMs: number) => void,
  ) {
    this.#timer = setInterval(() => this.look(performance.now()), lookEveryMs);
    this.#timer.unref();
  }

  /** Watches a channel until `closed` aborts. */
  watch(channel: ConfirmChannel, closed: AbortSignal): void {
    this.#oldest.set(channel, { number: undefined, since: 0 });
    closed.addEventListener("abort", () => this.#oldest.delete(channel), { once: true });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks at each channel. Runs every second. */
  look(now: number): void {
    for (const [channel, oldest] of this.#oldest) {
      const number = channel.unconfirmed?.length ? channel.lwm : undefined;
      if (number === undefined || number !== oldest.number || this.isBlocked()) {
        if (oldest.number !== undefined && number !== oldest.number) this.#deadlineMs = shortestMs;
        this.#oldest.set(channel, { number, since: now });
      } else if (now - oldest.since > this.#deadlineMs) {
        this.#deadlineMs = Math.min(longestMs, this.#deadlineMs * 2);
        this.#oldest.clear();
        this.onOverdue(now - oldest.since);
        return;
      }
    }
  }
}
