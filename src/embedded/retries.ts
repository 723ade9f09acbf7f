import type { ConsumerData } from "../store/consumer/store";
import type { Waiting } from "../store/consumer/waiting-table";
import { steadyNow } from "../timing/steady-time";
import type { PatientWrites } from "./patient-writes";

/** Minimum pause before an event that is due, in milliseconds. The runtime prints a warning for a timer with a negative delay. */
const shortestPauseMs = 1;

/** The events that wait for their next attempt: when the next is due, and which are with the worker. */
export class Retries {
  readonly #inHand = new Set<number>();
  #nextDueAt = Number.POSITIVE_INFINITY;
  /** The earliest event that was added while the store was asked for the next one. */
  #addedDueAt = Number.POSITIVE_INFINITY;

  constructor(
    readonly data: ConsumerData,
    readonly writes: PatientWrites,
  ) {}

  get inHand(): number {
    return this.#inHand.size;
  }

  get isDue(): boolean {
    return this.#nextDueAt <= steadyNow();
  }

  /** Time until the next event is due, in milliseconds. Infinity if none waits. */
  get pauseMs(): number {
    return Math.max(shortestPauseMs, this.#nextDueAt - steadyNow());
  }

  /** Reads from the store when the next event is due. One call at a time. */
  async look(): Promise<void> {
    this.#addedDueAt = Number.POSITIVE_INFINITY;
    const found = (await this.data.waiting.nextDueAt(this.#inHand)) ?? Number.POSITIVE_INFINITY;
    this.#nextDueAt = Math.min(found, this.#addedDueAt);
  }

  /** Records that an event was added to the store. */
  add(dueAt: number): void {
    this.#nextDueAt = Math.min(this.#nextDueAt, dueAt);
    this.#addedDueAt = Math.min(this.#addedDueAt, dueAt);
  }

  /** Takes up to `limit` events that are due. Resolves with none if the consumer stops before that is recorded. */
  async take(limit: number): Promise<readonly Waiting[]> {
    if (limit === 0 || !this.isDue) return [];
    const due = await this.data.waiting.due(steadyNow(), this.#inHand, limit);
    const begin = () =>
      this.data.together(async ({ waiting }) => {
        for (const { number } of due) await waiting.begin(number);
      });
    if (!(await this.writes.write(begin))) return [];
    for (const { number } of due) this.#inHand.add(number);
    await this.look();
    return due;
  }

  /** Records that an event is settled, and no longer in the store. */
  settle(number: number): void {
    this.#inHand.delete(number);
  }
}
