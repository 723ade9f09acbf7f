import type { Leadership } from "../../leadership";
import { type LeaseClock, systemClock } from "./held-lease";
import type { LeaseTable } from "./lease-table";
import { LeasedTask } from "./leased-task";

/** A third of the time after which another process may take a lease: one lost request costs no lease. */
const renewEveryMs = 1000;

/** Leads tasks: of all processes that share the table, one leads a task at a time. */
export class Leases {
  readonly #tasks = new Map<string, LeasedTask>();
  #isRenewing = false;

  constructor(
    readonly table: LeaseTable,
    readonly clock: LeaseClock = systemClock,
  ) {}

  /** Waits for the lease of a task until `stop` aborts, then runs `work` once. Settles as it does. */
  async lead(name: string, stop: AbortSignal, work: (leadership: Leadership) => Promise<void>): Promise<void> {
    const task = this.#tasks.get(name) ?? new LeasedTask(name, this.table, this.clock);
    this.#tasks.set(name, task);
    const led = { stop };
    const held = await task.join(led);
    if (!held) return;
    void this.#keepRenewing();
    try {
      await work({ until: AbortSignal.any([stop, held.lost]), holds: () => !stop.aborted && held.holds(), epoch: held.epoch });
    } finally {
      task.leave(led);
    }
  }

  /** Looks at once whether a lease is free that a work waits for. */
  wake(): void {
    for (const task of this.#tasks.values()) task.wake();
  }

  /** Resolves when every lease whose works have ended is released. */
  async released(): Promise<void> {
    await Promise.all([...this.#tasks.values()].map(({ releasing }) => releasing));
  }

  async #keepRenewing(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    while ([...this.#tasks.values()].some(({ held }) => held)) {
      await new Promise<void>((resolve) => void this.clock.after(renewEveryMs, resolve));
      // Not awaited: a request that hangs must not delay the next one.
      void this.#renew();
    }
    this.#isRenewing = false;
  }

  async #renew(): Promise<void> {
    const held = new Map([...this.#tasks.values()].flatMap(({ name, wanted }) => (wanted ? [[name, wanted] as const] : [])));
    if (held.size === 0) return;
    const sentAt = this.clock.now();
    const epochs = new Map([...held].map(([name, { epoch }]) => [name, epoch]));
    // If the database cannot be reached, the deadlines decide.
    const renewed = await this.table.renew(epochs).catch(() => undefined);
    if (!renewed) return;
    for (const [name, lease] of held) {
      if (renewed.has(name)) lease.renew(sentAt);
      else lease.lose();
    }
  }
}
