// Processes that share a queue, in simulated time. Each handles events in its lanes, and commits its position with a fence.
import type { Lane } from "../../src/store/consumer/lanes";
import type { MemberTable } from "../../src/store/postgres/consumer/member-table";
import { QueueShare } from "../../src/store/postgres/consumer/queue-share";
import { laneCount } from "../../src/store/postgres/consumer/schema";
import { leaseMs } from "../../src/store/postgres/leases/leased-task";
import { SimulatedProcess, SimulatedTime } from "./simulated-time";

interface LaneRow {
  holder: string | null;
  epoch: number;
  expiresAt: number;
}

/** How far the queue is in a lane, as the holder in this epoch saved it. */
interface ProgressRow {
  position: number;
  epoch: number;
}

/** An event that reached a handler, or an effect that was committed. */
interface Act {
  readonly at: number;
  readonly process: string;
  readonly lane: number;
  readonly epoch: number;
  readonly position: number;
}

/** Number of events that are committed together. */
export const groupSize = 3;

export class ShareWorld extends SimulatedTime {
  readonly members = new Map<string, number>();
  readonly lanes: readonly LaneRow[] = rows(() => ({ holder: null, epoch: 0, expiresAt: Number.NEGATIVE_INFINITY }));
  readonly progress: readonly ProgressRow[] = rows(() => ({ position: 0, epoch: 0 }));
  /** Events that reached handlers, in order. */
  readonly handled: Act[] = [];
  /** Effects that were committed, in order. */
  readonly effects: Act[] = [];

  /** Acts that came after those of a later holder of their lane: two processes believed that they held it. */
  static late(acts: readonly Act[]): Act[] {
    const highest = new Map<number, number>();
    return acts.filter(({ lane, epoch }) => {
      const last = highest.get(lane) ?? 0;
      highest.set(lane, Math.max(last, epoch));
      return epoch < last;
    });
  }

  /** Effects that were committed a second time, or whose predecessor was not. */
  get misplacedEffects(): Act[] {
    const positions = new Map<number, number>();
    return this.effects.filter(({ lane, position }) => {
      const last = positions.get(lane) ?? 0;
      positions.set(lane, position);
      return position !== last + 1;
    });
  }
}

function rows<Row>(make: () => Row): Row[] {
  return Array.from({ length: laneCount }, make);
}

interface ProcessOptions {
  /** Whether it asks before each event if it still has the lane. Default: yes. */
  readonly asksFirst?: boolean;
  /** How long it handles an event, in milliseconds. Default: 20. */
  readonly handlingMs?: number;
}

/** A process that consumes the queue. It handles the events of its lanes side by side. */
export class ShareProcess extends SimulatedProcess {
  /** Undefined until it has joined, and after it has left. */
  share: QueueShare | undefined;
  /** Its lanes, with its position in each. Null while that is read. */
  readonly #positions = new Map<Lane, number | null>();
  readonly #busy = new Set<Lane>();
  #isStopping = false;

  constructor(
    readonly world: ShareWorld,
    name: string,
    readonly options: ProcessOptions = {},
  ) {
    super(world, name);
    void this.#consume();
  }

  /** Leaves, as a process that is asked to end does. */
  stop(): void {
    this.#isStopping = true;
  }

  /** The lanes in which it may handle events now. */
  get holding(): number[] {
    const { share } = this;
    return [...this.#positions.keys()].filter((lane) => share?.holds(lane)).map(({ number }) => number);
  }

  async #consume(): Promise<void> {
    while (!this.share && !this.#isStopping) {
      const joining = new QueueShare(this.#table(), () => {}, this.clock);
      this.share = await joining.start().catch(() => undefined);
      if (!this.share) await this.pause(250);
    }
    while (!this.#isStopping) {
      await this.#follow();
      await this.pause(10);
    }
    while (this.#busy.size > 0) await this.pause(7);
    await this.share?.leave();
    this.share = undefined;
    this.#positions.clear();
  }

  async #follow(): Promise<void> {
    const { share } = this;
    if (!share) return;
    for (const lane of this.#positions.keys()) {
      if (!share.holds(lane)) this.#positions.delete(lane);
      else if (!share.lanes.includes(lane) && share.holds(lane) && !this.#busy.has(lane)) {
        this.#positions.delete(lane);
        await share.release(lane);
      }
    }
    for (const lane of share.surplus) if (!this.#positions.has(lane)) await share.release(lane);
    for (const lane of share.lanes) if (!this.#positions.has(lane)) void this.#take(lane);
    for (const [lane, position] of this.#positions)
      if (position !== null && share.lanes.includes(lane) && !this.#busy.has(lane)) void this.#handle(lane, position);
  }

  /** Reads where the queue is in a lane. Sets the fence, unless a later holder has done so. */
  async #take(lane: Lane): Promise<void> {
    this.#positions.set(lane, null);
    const reading = this.ask(() => {
      const row = this.world.progress[lane.number] as ProgressRow;
      if (row.epoch <= lane.epoch) row.epoch = lane.epoch;
      return row.position;
    });
    const position = await reading.catch(() => undefined);
    if (position === undefined) this.#positions.delete(lane);
    else if (this.#positions.has(lane)) this.#positions.set(lane, position);
  }

  /** Handles some events of a lane, one after another, and commits what they have done. */
  async #handle(lane: Lane, position: number): Promise<void> {
    const { world, name, options } = this;
    const act = (at: number): Act => ({ at: world.now, process: name, lane: lane.number, epoch: lane.epoch, position: at });
    this.#busy.add(lane);
    let done = position;
    while (done < position + groupSize && (options.asksFirst === false || this.share?.holds(lane))) {
      done += 1;
      world.handled.push(act(done));
      await this.pause(options.handlingMs ?? 20);
    }
    const committing = this.ask(() => {
      const row = world.progress[lane.number] as ProgressRow;
      if (row.epoch !== lane.epoch) return false;
      for (let at = position + 1; at <= done; at += 1) world.effects.push(act(at));
      row.position = done;
      return true;
    });
    const isCommitted = await committing.catch(() => false);
    this.#busy.delete(lane);
    if (!this.#positions.has(lane)) return;
    // Whether or not it was committed before the answer was lost is read again.
    if (isCommitted) this.#positions.set(lane, done);
    else this.#positions.delete(lane);
  }

  #table(): Pick<MemberTable, "renew" | "take" | "release" | "leave" | "holder"> {
    const { world, name } = this;
    const { lanes, members } = world;
    const expiry = () => world.databaseNow + leaseMs;
    const isOwn = ({ number, epoch }: Lane) => lanes[number]?.holder === name && lanes[number]?.epoch === epoch;
    const change = (all: readonly Lane[], what: Partial<LaneRow>) => {
      for (const lane of all) if (isOwn(lane)) Object.assign(lanes[lane.number] as LaneRow, what);
    };
    return {
      holder: name,
      renew: (held) =>
        this.ask(() => {
          members.set(name, expiry());
          change(held, { expiresAt: expiry() });
          return {
            members: [...members]
              .flatMap(([holder, expiresAt]) => (expiresAt > world.databaseNow ? { holder, expiresAt } : []))
              .sort((one, other) => (one.holder < other.holder ? -1 : 1)),
            lanes: lanes.map((lane, number) => ({ ...lane, number })),
          };
        }),
      take: (wanted) =>
        this.ask(() =>
          wanted.flatMap(({ number, epoch, expiresAt }) => {
            const row = lanes[number] as LaneRow;
            if (row.epoch !== epoch || (row.holder !== null && row.expiresAt !== expiresAt)) return [];
            Object.assign(row, { holder: name, epoch: epoch + 1, expiresAt: expiry() });
            return { number, epoch: epoch + 1 };
          }),
        ),
      release: (all) => this.ask(() => change(all, { holder: null })),
      leave: () =>
        this.ask(() => {
          for (const row of lanes) if (row.holder === name) row.holder = null;
          members.delete(name);
        }),
    };
  }
}
