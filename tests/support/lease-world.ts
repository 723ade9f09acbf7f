// Processes that share leases, in simulated time: they freeze, die and are cut off, and the database's clock is put back.
import type { LeaseClock } from "../../src/store/postgres/leases/held-lease";
import type { LeaseTable, SeenLease } from "../../src/store/postgres/leases/lease-table";
import { leaseMs } from "../../src/store/postgres/leases/leased-task";
import { Leases } from "../../src/store/postgres/leases/leases";

interface Due {
  readonly at: number;
  readonly order: number;
  readonly owner: LeaseProcess;
  readonly run: () => void;
}

interface Row {
  holder: string;
  epoch: number;
  expiresAt: number;
}

export class LeaseWorld {
  now = 0;
  /** Offset of the database's clock, in milliseconds. */
  databaseOffset = 0;
  readonly rows = new Map<string, Row>();
  /** The acts of leaders, in order. */
  readonly acts: { readonly at: number; readonly process: string; readonly epoch: number }[] = [];
  /** Number of looks at leases. */
  looks = 0;
  readonly #due: Due[] = [];
  #order = 0;

  /** @param latency returns how long a message to or from the database takes, in milliseconds. */
  constructor(public latency: () => number = () => 2) {}

  get databaseNow(): number {
    return this.now + this.databaseOffset;
  }

  at(ms: number, owner: LeaseProcess, run: () => void): () => void {
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

/** A process that wants to lead the task `relay`, and acts every few milliseconds while it does. */
export class LeaseProcess {
  isAlive = true;
  isFrozen = false;
  /** True if nothing reaches the database, and nothing comes back. */
  isCut = false;
  isLeading = false;
  readonly leases: Leases;
  readonly #stop = new AbortController();

  constructor(
    readonly world: LeaseWorld,
    readonly name: string,
    options: { readonly asksFirst: boolean } = { asksFirst: true },
  ) {
    const clock: LeaseClock = { now: () => world.now, after: (ms, then) => world.at(ms, this, then) };
    this.leases = new Leases(this.#table(), clock);
    void this.#keepLeading(options.asksFirst);
  }

  /** Stops leading, as a process that is asked to end does. */
  stop(): void {
    this.#stop.abort();
  }

  async #keepLeading(asksFirst: boolean): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.leases.lead("relay", signal, async ({ until, holds, epoch }) => {
        this.isLeading = true;
        while (asksFirst ? holds() : !until.aborted) {
          this.world.acts.push({ at: this.world.now, process: this.name, epoch });
          await new Promise<void>((resolve) => void this.world.at(7, this, resolve));
        }
        this.isLeading = false;
      });
    }
  }

  #table(): LeaseTable {
    const { world } = this;
    const { rows } = world;
    const isSame = (row: Row | undefined, seen: SeenLease | undefined) => row?.epoch === seen?.epoch && row?.expiresAt === seen?.expiresAt;
    return {
      look: (task) =>
        this.#ask(() => {
          const row = rows.get(task);
          world.looks += 1;
          return row && { epoch: row.epoch, expiresAt: row.expiresAt, leftMs: row.expiresAt - world.databaseNow };
        }),
      take: (task, seen) =>
        this.#ask(() => {
          const row = rows.get(task);
          if (!isSame(row, seen)) return undefined;
          const epoch = (row?.epoch ?? 0) + 1;
          rows.set(task, { holder: this.name, epoch, expiresAt: world.databaseNow + leaseMs });
          return epoch;
        }),
      renew: (held) =>
        this.#ask(() => {
          const mine = [...held].filter(([task, epoch]) => rows.get(task)?.holder === this.name && rows.get(task)?.epoch === epoch);
          for (const [task] of mine) (rows.get(task) as Row).expiresAt = world.databaseNow + leaseMs;
          return new Set(mine.map(([task]) => task));
        }),
      release: (task, epoch) =>
        this.#ask(() => {
          const row = rows.get(task);
          if (row?.holder === this.name && row.epoch === epoch) row.expiresAt = world.databaseNow;
        }),
    };
  }

  /** Runs a statement when it has reached the database, which may be after this process was killed. */
  #ask<T>(statement: () => T): Promise<T> {
    const { world } = this;
    return new Promise((resolve, reject) => {
      const server = { isAlive: true, isFrozen: false } as LeaseProcess;
      const lose = () => world.at(5000, this, () => reject(new Error("cut off")));
      if (this.isCut) return void lose();
      world.at(world.latency(), server, () => {
        const result = statement();
        if (this.isCut) lose();
        else world.at(world.latency(), this, () => resolve(result));
      });
    });
  }
}
