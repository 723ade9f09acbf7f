import { HeldLease, type LeaseClock } from "./held-lease";
import type { LeaseTable, SeenLease } from "./lease-table";

/** Time from a renewal until another process may take the lease, in milliseconds. */
export const leaseMs = 3000;
/** Longest pause before another look at the lease of another process, in milliseconds. */
const lookEveryMs = 1000;

/** A work that leads a task, or waits to. */
export interface LedWork {
  readonly stop: AbortSignal;
}

/** A task that works of this process lead or wait for. They share one lease. */
export class LeasedTask {
  /** Resolves when the lease that was released last is free for other processes, or the database cannot be reached. */
  releasing: Promise<void> = Promise.resolve();
  readonly #works = new Set<LedWork>();
  #held: HeldLease | undefined;
  #taking: Promise<void> | undefined;
  #lastSeen: (SeenLease & { readonly since: number }) | undefined;
  #isWoken = false;
  #endPause = () => {};

  constructor(
    readonly name: string,
    readonly table: LeaseTable,
    readonly clock: LeaseClock,
  ) {}

  get held(): HeldLease | undefined {
    return this.#held?.holds() ? this.#held : undefined;
  }

  /** The lease, if it is held for a work that was not asked to end. */
  get wanted(): HeldLease | undefined {
    return this.#isAsked ? this.held : undefined;
  }

  get #isAsked(): boolean {
    return [...this.#works].some(({ stop }) => !stop.aborted);
  }

  /** Resolves with the lease once this process has it, or with undefined if the work is stopped first. */
  async join(work: LedWork): Promise<HeldLease | undefined> {
    const { stop } = work;
    this.#works.add(work);
    const stopped = Promise.withResolvers<void>();
    const onStop = () => {
      stopped.resolve();
      this.wake();
    };
    stop.addEventListener("abort", onStop, { once: true });
    while (!stop.aborted && !this.held) {
      this.#taking ??= this.#take().finally(() => {
        this.#taking = undefined;
      });
      await Promise.race([this.#taking, stopped.promise]);
    }
    stop.removeEventListener("abort", onStop);
    if (!stop.aborted) return this.held;
    this.leave(work);
    return undefined;
  }

  /** Notes that a work has ended. The last one releases the lease. */
  leave(work: LedWork): void {
    this.#works.delete(work);
    if (this.#works.size === 0) this.#release();
  }

  /** Looks at the lease at once if a work waits for it. */
  wake(): void {
    this.#isWoken = true;
    this.#endPause();
  }

  /** Takes the lease, or returns when no work wants it any longer. */
  async #take(): Promise<void> {
    await this.releasing;
    while (this.#isAsked && !this.held) {
      this.#isWoken = false;
      const pauseMs = await this.#try().catch(() => lookEveryMs);
      if (pauseMs > 0) await this.#pause(pauseMs);
    }
    if (this.#works.size === 0) this.#release();
  }

  /** Tries to take the lease. Resolves with the pause before the next attempt, in milliseconds. */
  async #try(): Promise<number> {
    const seen = await this.table.look(this.name);
    if (seen && seen.leftMs > 0 && !this.#isAbandoned(seen)) return Math.min(lookEveryMs, seen.leftMs);
    const sentAt = this.clock.now();
    const epoch = await this.table.take(this.name, seen);
    if (epoch === undefined) return lookEveryMs;
    this.#held = new HeldLease(epoch, this.clock, leaseMs, sentAt);
    return 0;
  }

  /** Returns whether the lease was not renewed in all its time, which the clock of the database does not show after it was put back. */
  #isAbandoned(seen: SeenLease): boolean {
    const last = this.#lastSeen;
    const now = this.clock.now();
    if (last && last.epoch === seen.epoch && last.expiresAt === seen.expiresAt) return now - last.since > leaseMs;
    this.#lastSeen = { ...seen, since: now };
    return false;
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (!held?.holds()) return;
    held.lose();
    this.releasing = this.table.release(this.name, held.epoch).catch(() => {});
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isWoken) return resolve();
      const cancel = this.clock.after(ms, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}
