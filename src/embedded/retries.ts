import type { Lane } from "../store/consumer/lanes";
import type { ConsumerData } from "../store/consumer/store";
import { atOnce, type Waiting } from "../store/consumer/waiting-table";
import { steadyNow, wakeAt } from "../timing/clock";
import type { PatientWrites } from "./patient-writes";

/** The events that wait for their next attempt: when the next is due, and which are with the worker. */
export class Retries {
  readonly #inHand = new Set<number>();
  #nextDueAt = Number.POSITIVE_INFINITY;
  /** The earliest event that was added while the store was asked for the next one. */
  #addedDueAt = Number.POSITIVE_INFINITY;
  #cancelWake = () => {};

  /**
   * @param lanes returns the lanes whose events to take.
   * @param wake called when an event has become due.
   */
  constructor(
    readonly data: ConsumerData,
    readonly writes: PatientWrites,
    readonly lanes: () => readonly Lane[],
    readonly wake: () => void,
  ) {}

  get isDue(): boolean {
    return this.#nextDueAt <= steadyNow();
  }

  /** Reads from the store when the next event is due. One call at a time. */
  async look(): Promise<void> {
    this.#addedDueAt = Number.POSITIVE_INFINITY;
    const found = (await this.data.waiting.nextDueAt(this.lanes(), this.#inHand)) ?? Number.POSITIVE_INFINITY;
    this.#expect(Math.min(found, this.#addedDueAt));
  }

  /** Records that an event was added to the store. */
  add(dueAt: number): void {
    this.#expect(Math.min(this.#nextDueAt, dueAt));
    this.#addedDueAt = Math.min(this.#addedDueAt, dueAt);
  }

  /** Takes up to `limit` events that are due. Resolves with none if the consumer stops before that is recorded. */
  async take(limit: number): Promise<readonly Waiting[]> {
    if (limit === 0 || !this.isDue) return [];
    const due = await this.data.waiting.due(steadyNow(), this.lanes(), this.#inHand, limit);
    const numbers = due.map(({ number }) => number);
    if (due.length > 0 && !(await this.writes.write(() => this.data.waiting.begin(numbers)))) return [];
    for (const number of numbers) this.#inHand.add(number);
    // If that cannot be read now, the next call tries again.
    await this.look().catch(() => this.add(atOnce));
    return due;
  }

  /** Records that an event is no longer with the worker. */
  settle(number: number): void {
    this.#inHand.delete(number);
  }

  /** Wakes nobody any more. */
  end(): void {
    this.#cancelWake();
  }

  #expect(dueAt: number): void {
    if (dueAt === this.#nextDueAt) return;
    this.#nextDueAt = dueAt;
    this.#cancelWake();
    this.#cancelWake = dueAt === Number.POSITIVE_INFINITY ? () => {} : wakeAt(dueAt, this.wake, steadyNow);
  }
}
