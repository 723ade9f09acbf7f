import { count, Distribution, entryOf, waitSeconds, workSeconds } from "../observe/tally";
import type { Event } from "../schema/event";
import type { Delivery } from "./delivery";
import type { DeadReason, Outcome } from "./outcome";

/** What a consumer has done since it started. */
export interface Counts {
  handled: number;
  duplicates: number;
  skipped: number;
  retried: number;
  deadLettered: number;
}

/** What became of events of one type. */
export interface TypeTally {
  /** By `handled`, `duplicate`, `skipped`, `retry`, `dead-letter`. */
  readonly outcomes: Map<string, number>;
  /** From the call of the handler to its result; of a group, each event counts with the time of the whole. */
  readonly handlerSeconds: Distribution;
  /** From the change to its event being handled; replays are left out. */
  readonly delaySeconds: Distribution;
}

/** For messages that are no event of the catalogue. */
const other = "other";

export class WorkerTally {
  readonly counts: Counts = { handled: 0, duplicates: 0, skipped: 0, retried: 0, deadLettered: 0 };
  readonly types = new Map<string, TypeTally>();
  readonly deadReasons = new Map<DeadReason, number>();

  /** Tells how long the handler took. */
  handler(type: string, ms: number): void {
    this.#type(type).handlerSeconds.record(ms / 1000);
  }

  /** Tells what is done with a message; `event` is what was read in it. */
  outcome(outcome: Outcome, event: Event | undefined, { replay }: Pick<Delivery, "replay">): void {
    const type = this.#type(event?.type ?? other);
    count(type.outcomes, outcome.action === "ack" ? outcome.result : outcome.action);
    if (outcome.action === "retry") this.counts.retried += 1;
    else if (outcome.action === "dead-letter") {
      this.counts.deadLettered += 1;
      count(this.deadReasons, outcome.reason);
    } else {
      this.counts[outcome.result === "duplicate" ? "duplicates" : outcome.result] += 1;
      const delayMs = outcome.result === "handled" && event && replay === "no" ? Date.now() - Date.parse(event.timestamp) : Number.NaN;
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
