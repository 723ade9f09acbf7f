import type { Lane } from "../store/consumer/lanes";
import type { ConsumerData } from "../store/consumer/store";
import { atOnce } from "../store/consumer/waiting-table";
import type { LogEntry } from "../store/log";
import type { ReplayMark } from "../store/replay";
import type { Deliveries, Place } from "./deliveries";
import type { LaneCursor } from "./lane-cursor";

/** How the log is read: by the consumer itself or for a replay. */
export interface Reading {
  readonly replay: ReplayMark;
  /** Called when an event is settled on which an earlier process may have died. */
  suspectSettled(): void;
  /** Called when an entry is given back, to be read again. */
  forgotten(lane: Lane): void;
}

/** Passes an entry of the log to the worker. */
export function handEntry(deliveries: Deliveries, cursor: LaneCursor, entry: LogEntry, reading: Reading): void {
  const { position, id, body, traceparent } = entry;
  const suspect = cursor.isSuspect(position);
  const message = { id, body, traceparent, failures: 0, firstFailure: null, replay: reading.replay, suspect, again: false };
  deliveries.hand(message, new LogPlace(cursor, entry, reading, cursor.take(position)));
}

/** An entry's place in the log. */
class LogPlace implements Place {
  readonly isKept = false;

  constructor(
    readonly cursor: LaneCursor,
    readonly entry: LogEntry,
    readonly reading: Reading,
    readonly settleEntry: () => void,
  ) {}

  get lane(): Lane {
    return this.cursor.lane;
  }

  get position(): number | undefined {
    return this.reading.replay === "no" ? this.entry.position : undefined;
  }

  async remove(): Promise<void> {}

  settle(): void {
    this.settleEntry();
    // Otherwise, the next death would be counted for this event, too.
    if (this.cursor.isSuspect(this.entry.position)) this.reading.suspectSettled();
  }

  async giveBack({ waiting }: ConsumerData): Promise<void> {
    const { position, id, body, traceparent } = this.entry;
    const { replay } = this.reading;
    // It is read again, unless entries after it would come again, too.
    if (!this.cursor.isBehindSettled(position)) return this.reading.forgotten(this.lane);
    await waiting.add({ id, body, traceparent, attempts: 0, firstFailure: null, replay, dueAt: atOnce, delayMs: 0 });
    this.settleEntry();
  }
}
