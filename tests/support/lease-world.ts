// Processes that share leases, in simulated time: they freeze, die and are cut off, and the database's clock is put back.
import type { LeaseTable, SeenLease } from "../../src/store/postgres/leases/lease-table";
import { leaseMs } from "../../src/store/postgres/leases/leased-task";
import { Leases } from "../../src/store/postgres/leases/leases";
import { SimulatedProcess, SimulatedTime } from "./simulated-time";

interface Row {
  holder: string;
  epoch: number;
  expiresAt: number;
}

export class LeaseWorld extends SimulatedTime {
  readonly rows = new Map<string, Row>();
  /** The acts of leaders, in order. */
  readonly acts: { readonly at: number; readonly process: string; readonly epoch: number }[] = [];
  /** Number of looks at leases. */
  looks = 0;
}

/** A process that wants to lead the task `relay`, and acts every few milliseconds while it does. */
export class LeaseProcess extends SimulatedProcess {
  isLeading = false;
  readonly leases: Leases;
  readonly #stop = new AbortController();

  constructor(
    readonly world: LeaseWorld,
    name: string,
    options: { readonly asksFirst: boolean } = { asksFirst: true },
  ) {
    super(world, name);
    this.leases = new Leases(this.#table(), this.clock);
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
          await this.pause(7);
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
        this.ask(() => {
          const row = rows.get(task);
          world.looks += 1;
          return row && { epoch: row.epoch, expiresAt: row.expiresAt, leftMs: row.expiresAt - world.databaseNow };
        }),
      take: (task, seen) =>
        this.ask(() => {
          const row = rows.get(task);
          if (!isSame(row, seen)) return undefined;
          const epoch = (row?.epoch ?? 0) + 1;
          rows.set(task, { holder: this.name, epoch, expiresAt: world.databaseNow + leaseMs });
          return epoch;
        }),
      renew: (held) =>
        this.ask(() => {
          const mine = [...held].filter(([task, epoch]) => rows.get(task)?.holder === this.name && rows.get(task)?.epoch === epoch);
          for (const [task] of mine) (rows.get(task) as Row).expiresAt = world.databaseNow + leaseMs;
          return new Set(mine.map(([task]) => task));
        }),
      release: (task, epoch) =>
        this.ask(() => {
          const row = rows.get(task);
          if (row?.holder === this.name && row.epoch === epoch) row.expiresAt = world.databaseNow;
        }),
    };
  }
}
