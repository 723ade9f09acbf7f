// Processes and a database in simulated time: processes freeze, die and are cut off, and the database's clock is put back or forward.
import fc from "fast-check";
import type { LeaseClock } from "../../src/store/postgres/leases/held-lease";

interface Owner {
  readonly isAlive: boolean;
  readonly isFrozen: boolean;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly owner: Owner;
  readonly run: () => void;
}

/** Time after which a process learns that it was cut off, in milliseconds. */
const cutOffMs = 5000;

const server: Owner = { isAlive: true, isFrozen: false };

/** Time that passes when a test says so. */
export class SimulatedTime {
  now = 0;
  /** Offset of the database's clock, in milliseconds. */
  databaseOffset = 0;
  readonly #due: Due[] = [];
  #order = 0;

  /** @param latency returns how long a message to or from the database takes, in milliseconds. */
  constructor(public latency: () => number = () => 2) {}

  get databaseNow(): number {
    return this.now + this.databaseOffset;
  }

  at(ms: number, owner: Owner, run: () => void): () => void {
    this.#order += 1;
    const due: Due = { at: this.now + Math.max(0, ms), order: this.#order, owner, run };
    this.#due.push(due);
    return () => {
      const index = this.#due.indexOf(due);
      if (index >= 0) this.#due.splice(index, 1);
    };
  }

  /** Lets time pass. What a frozen process missed, it does when it runs again. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await new Promise(setImmediate);
      const ready = this.#due.filter(({ owner, at }) => !owner.isFrozen && at <= end);
      const next = ready.reduce<Due | undefined>((first, due) => (first && !isBefore(due, first) ? first : due), undefined);
      if (!next) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      if (next.owner.isAlive) next.run();
    }
    this.now = end;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

export class SimulatedProcess {
  isAlive = true;
  isFrozen = false;
  /** True if nothing reaches the database, and nothing comes back. */
  isCut = false;

  constructor(
    readonly time: SimulatedTime,
    readonly name: string,
  ) {}

  get clock(): LeaseClock {
    return { now: () => this.time.now, after: (ms, then) => this.time.at(ms, this, then) };
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.time.at(ms, this, resolve));
  }

  /** Runs a statement when it has reached the database, which may be after this process was killed. */
  ask<T>(statement: () => T): Promise<T> {
    const { time } = this;
    return new Promise((resolve, reject) => {
      const lose = () => time.at(cutOffMs, this, () => reject(new Error("cut off")));
      if (this.isCut) return void lose();
      time.at(time.latency(), server, () => {
        const result = statement();
        if (this.isCut) lose();
        else time.at(time.latency(), this, () => resolve(result));
      });
    });
  }
}

/** Delays of messages in milliseconds: most are short, some take up to `most`. */
export function latencies(most: number): fc.Arbitrary<number[]> {
  return fc.array(fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0, max: 30 }) }, fc.integer({ min: 0, max: most })), {
    minLength: 1,
    maxLength: 40,
  });
}
