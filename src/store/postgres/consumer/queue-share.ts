import type { Lane, Share } from "../../consumer/lanes";
import { HeldLease, type LeaseClock, systemClock } from "../leases/held-lease";
import { leaseMs } from "../leases/leased-task";
import type { MemberTable, SeenLane, SeenMember, SeenQueue } from "./member-table";
import { laneCount } from "./schema";
import { SeenRows } from "./seen-rows";

/** A third of the time after which another process may take a lane: one lost request costs no lane. */
const renewEveryMs = 1000;
/** Interval at which a process looks that has fewer lanes than it should have, or may soon get more, in milliseconds. */
const lookEveryMs = 400;
/** Time in which a process that lives renews its lanes, with some to spare, in milliseconds. */
const renewedWithinMs = 1500;
/** Maximum time to release the lanes at the end, in milliseconds. */
const leavingMs = 1000;

/**
 * The share of a process in a queue on PostgreSQL. All processes see who consumes the queue, and each works out by itself how many lanes
 * it should have: it gives up what it has beyond that, and takes what is free up to that.
 */
export class QueueShare implements Share {
  readonly count = laneCount;
  /** Lanes of this process, those that it should give up included. */
  readonly #held = new Map<number, Lane>();
  #lease: HeldLease | undefined;
  /** Number of lanes that it should have. */
  #due = 0;
  #isLeaving = false;
  #stopTimer = () => {};
  readonly #seenLanes = new SeenRows();
  readonly #seenMembers = new SeenRows();
  /** True if a lane of another process may soon be free. */
  #isWatching = false;

  constructor(
    readonly table: Pick<MemberTable, "renew" | "take" | "release" | "leave" | "holder">,
    readonly onChange: () => void,
    readonly clock: LeaseClock = systemClock,
  ) {}

  /** Joins the processes that consume the queue. Rejects if the database cannot be reached. */
  async start(): Promise<this> {
    await this.#look();
    this.#lookAgain();
    return this;
  }

  get lanes(): readonly Lane[] {
    return this.#isLost ? [] : [...this.#held.values()].slice(0, this.#due);
  }

  get surplus(): readonly Lane[] {
    return this.#isLost ? [] : [...this.#held.values()].slice(this.#due);
  }

  holds(lane: Lane): boolean {
    return this.#held.get(lane.number) === lane && !this.#isLost;
  }

  async release(lane: Lane): Promise<void> {
    if (this.#held.get(lane.number) !== lane) return;
    this.#held.delete(lane.number);
    // If the database cannot be reached, the lane is free after some seconds.
    await this.table.release([lane]).catch(() => {});
  }

  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#stopTimer();
    this.#lease?.lose();
    this.#held.clear();
    const ended = new Promise<void>((resolve) => {
      this.#stopTimer = this.clock.after(leavingMs, resolve);
    });
    await Promise.race([ended, this.table.leave().catch(() => {})]);
    this.#stopTimer();
  }

  get #isLost(): boolean {
    return !this.#lease?.holds();
  }

  #lookAgain(): void {
    if (this.#isLeaving) return;
    const isSettled = this.#held.size === this.#due && !this.#isLost && !this.#isWatching;
    this.#stopTimer = this.clock.after(isSettled ? renewEveryMs : lookEveryMs, () => {
      this.#look()
        // The lease decides how long this process may go on.
        .catch(() => {})
        .finally(() => this.#lookAgain());
    });
  }

  /** Renews what this process has, and takes what it should have. */
  async #look(): Promise<void> {
    if (this.#isLost) this.#held.clear();
    const before = this.lanes.length;
    const sentAt = this.clock.now();
    const seen = await this.table.renew([...this.#held.values()]);
    if (this.#isLeaving) return;
    this.#renew(sentAt);
    for (const lane of seen.lanes) if (this.#held.get(lane.number) && !this.#isOwn(lane)) this.#held.delete(lane.number);
    const { due, from } = placeOf(this.table.holder, this.#livingIn(seen));
    this.#due = due;
    // Each begins elsewhere, since of several processes that take a lane only one gets it.
    const free = this.#freeIn(seen).sort((one, other) => distance(from, one) - distance(from, other));
    free.splice(Math.max(0, due - this.#held.size));
    const taken = free.length > 0 ? await this.table.take(free) : [];
    if (this.#isLeaving || this.#isLost) return;
    for (const { number, epoch } of taken) this.#held.set(number, { number, epoch });
    if (this.lanes.length !== before || taken.length > 0) this.onChange();
  }

  /** Notes that a request sent at `sentAt` renewed everything. */
  #renew(sentAt: number): void {
    if (this.#lease?.holds()) this.#lease.renew(sentAt);
    else {
      this.#held.clear();
      this.#lease = new HeldLease(0, this.clock, leaseMs, sentAt);
      this.#lease.lost.addEventListener("abort", () => !this.#isLeaving && this.onChange());
    }
  }

  #isOwn({ number, epoch, holder }: SeenLane): boolean {
    return holder === this.table.holder && this.#held.get(number)?.epoch === epoch;
  }

  /** Returns the processes that consume the queue. */
  #livingIn({ members }: SeenQueue): string[] {
    const now = this.clock.now();
    const lives = ({ holder, expiresAt }: SeenMember) => this.#seenMembers.unchangedMs(holder, expiresAt, now) <= leaseMs;
    return members.filter(lives).map(({ holder }) => holder);
  }

  /** Returns lanes that no process has, or whose process has not renewed them in time. */
  #freeIn({ lanes }: SeenQueue): SeenLane[] {
    const now = this.clock.now();
    const others = lanes.filter(({ number }) => !this.#held.has(number));
    const unchanged = new Map(others.map((lane) => [lane, this.#seenLanes.unchangedMs(lane.number, lane.expiresAt, now)]));
    const isUnchanged = (lane: SeenLane, ms: number) => lane.holder !== null && (unchanged.get(lane) ?? 0) > ms;
    this.#isWatching = others.some((lane) => isUnchanged(lane, renewedWithinMs));
    return others.filter((lane) => lane.holder === null || isUnchanged(lane, leaseMs));
  }
}

/** Returns how many lanes a process should have, all the same number or one less, and the lane from which on it looks for free ones. */
function placeOf(holder: string, members: readonly string[]): { due: number; from: number } {
  const index = members.indexOf(holder);
  if (index < 0) return { due: 0, from: 0 };
  const due = Math.floor(laneCount / members.length) + (index < laneCount % members.length ? 1 : 0);
  return { due, from: Math.floor((index * laneCount) / members.length) };
}

function distance(from: number, { number }: Lane): number {
  return (number - from + laneCount) % laneCount;
}
