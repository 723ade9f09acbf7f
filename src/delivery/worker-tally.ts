import { messageOf } from "../observe/logging";
import { count, Distribution, entryOf, waitSeconds, workSeconds } from "../observe/tally";
import type { Event } from "../schema/event";
import { now, timestamp } from "../timing/clock";
import type { Delivery } from "./delivery";
import type { DeadReason, Outcome } from "./outcome";

/** Number of messages by outcome since the consumer started. */
export interface Counts {
  handled: number;
  duplicates: number;
  skipped: number;
  retried: number;
  deadLettered: number;
}

/** Tally of the events of one type. */
export interface TypeTally {
  /** Number of messages per outcome: `handled`, `duplicate`, `skipped`, `retry`, `dead-letter`. */
  readonly outcomes: Map<string, number>;
  /** Duration of handler calls. Each event of a group counts with the duration of the whole group. */
  readonly handlerSeconds: Distribution;
  /** Time from the change until its event was handled. Excludes replays. */
  readonly delaySeconds: Distribution;
}

/** The newest failed attempt of a consumer. */
export interface LastError {
  readonly at: string;
  /** Id of the event. Null if it cannot be read. */
  readonly event: string | null;
  readonly error: string;
}

/** Type of messages that are not an event of the catalogue. */
const other = "other";

export class WorkerTally {
  readonly counts: Counts = { handled: 0, duplicates: 0, skipped: 0, retried: 0, deadLettered: 0 };
  readonly types = new Map<string, TypeTally>();
  readonly deadReasons = new Map<DeadReason, number>();
  lastError: LastError | null = null;

  /** Records the duration of a handler call, in milliseconds. */
  handler(type: string, ms: number): void {
    this.#type(type).handlerSeconds.record(ms / 1000);
  }

  /**
   * Records the outcome of a message.
   *
   * @param event the event in the message. Undefined if it cannot be read.
   */
  outcome(outcome: Outcome, event: Event | undefined, { replay }: Pick<Delivery, "replay">): void {
    const type = this.#type(event?.type ?? other);
    count(type.outcomes, outcome.action === "ack" ? outcome.result : outcome.action);
    if (outcome.action !== "ack") this.lastError = { at: timestamp(), event: event?.id ?? null, error: messageOf(outcome.error) };
    if (outcome.action === "retry") this.counts.retried += 1;
    else if (outcome.action === "dead-letter") {
      this.counts.deadLettered += 1;
      count(this.deadReasons, outcome.reason);
    } else {
      this.counts[outcome.result === "duplicate" ? "duplicates" : outcome.result] += 1;
      const delayMs = outcome.result === "handled" && event && replay === "no" ? now() - Date.parse(event.timestamp) : Number.NaN;
      // The clock of another machine may be ahead.
      if (!Number.isNaN(delayMs)) type.delaySeconds.record(Math.max(0, delayMs) / 1000);
    }
  }

  #type(type: string): TypeTally {
    return entryOf(this.types, type, () => ({
      outcomes: new Map(),
      handlerSeconds: new Distribution(workSeconds),
      delaySeconds: new Distribution(waitSeconds),
    }));
  }
}
