import type { Consumer } from "../delivery/consumer-options";
import type { Lane, Progress, Share } from "../store/consumer/lanes";
import type { ConsumerStore } from "../store/consumer/store";
import type { LogReader } from "../store/log";
import type { LogFollower } from "../store/log-follower";
import type { Deliveries, Place } from "./deliveries";
import type { LaneCursors } from "./lane-cursors";
import type { PatientWrites } from "./patient-writes";
import type { RunningReplays } from "./running-replays";

interface Parts {
  readonly consumer: Consumer;
  readonly log: LogReader & Pick<LogFollower, "logId">;
  readonly store: ConsumerStore;
  readonly share: Share;
  readonly main: LaneCursors;
  readonly replays: RunningReplays;
  readonly deliveries: Deliveries;
  readonly writes: PatientWrites;
}

/** Follows the share of this process: begins to read lanes that it gets, and ends in those that it gives up or loses. */
export class HeldLanes {
  /** Lanes that are given up, with the events that the handler has not begun. */
  readonly #leaving = new Map<Lane, Place[]>();
  #hasWarned = false;

  constructor(readonly parts: Parts) {}

  /** The lanes from which events go to the worker. */
  get active(): Lane[] {
    return this.parts.main.lanes.filter((lane) => !this.#leaving.has(lane));
  }

  /** Resolves with whether a lane was added. Call it from one loop only. */
  async follow(): Promise<boolean> {
    const { main, share } = this.parts;
    this.lose(main.lanes.filter((lane) => !share.holds(lane)));
    for (const lane of main.lanes) if (!share.lanes.includes(lane) && !this.#leaving.has(lane)) this.#giveUp(lane);
    await Promise.all(share.surplus.map((lane) => !this.#hasBegun(lane) && share.release(lane)));
    const left = [...this.#leaving.keys()].filter((lane) => !this.parts.deliveries.has(lane));
    if (left.length > 0 && (await this.parts.writes.write(() => this.#rest(left))))
      await Promise.all(left.map((lane) => share.release(lane)));
    const added = share.lanes.filter((lane) => !this.#hasBegun(lane) && !this.#isLeaving(lane));
    if (added.length > 0) await this.#add(added);
    return added.length > 0;
  }

  /** Ends in lanes that another process has taken. */
  lose(lanes: readonly Lane[]): void {
    for (const lane of lanes) {
      this.#forget(lane);
      this.parts.deliveries.forget(lane);
    }
  }

  /** Records that no event is in progress, after the worker has ended. */
  async end(): Promise<void> {
    for (const lane of this.active) this.#giveUp(lane);
    await this.parts.writes.write(() => this.#rest([...this.#leaving.keys()]));
  }

  async #add(lanes: readonly Lane[]): Promise<void> {
    const { store, log, main, replays } = this.parts;
    const progress = await store.takeLanes(log.logId, lanes);
    const end = await log.end();
    for (const replay of replays) await replay.addLanes(lanes);
    for (const [index, lane] of lanes.entries()) main.add(lane, this.#within(progress[index] ?? { position: end, begun: end }, end));
  }

  /** Returns the progress, or that at the end of a log that ends before it. */
  #within({ position, begun }: Progress, end: number): Progress {
    if (position > end && !this.#hasWarned) {
      this.#hasWarned = true;
      const { queue, log } = this.parts.consumer;
      log.warn({ queue, position, end }, "The event log ends before this consumer's position; an older log may have been restored");
    }
    return { position: Math.min(position, end), begun: Math.min(begun, end) };
  }

  /** Takes no more events of a lane, and those back that the handler has not begun. */
  #giveUp(lane: Lane): void {
    const { main, replays, deliveries } = this.parts;
    main.close(lane);
    for (const { cursors } of replays) cursors.close(lane);
    this.#leaving.set(lane, deliveries.takeBack(lane));
  }

  #hasBegun(lane: Lane): boolean {
    return this.parts.main.of(lane.number)?.lane === lane;
  }

  #isLeaving({ number }: Lane): boolean {
    return [...this.#leaving.keys()].some((lane) => lane.number === number);
  }

  /** Saves where lanes are, in which nothing is in progress any more, and ends in them. */
  async #rest(lanes: readonly Lane[]): Promise<void> {
    const { store, main, replays, log } = this.parts;
    await store.together(async (own) => {
      for (const place of lanes.flatMap((lane) => this.#leaving.get(lane) ?? [])) await place.giveBack(own);
      await own.saveProgress(log.logId, restedIn(main, lanes));
      for (const replay of replays) {
        const rested = restedIn(replay.cursors, lanes);
        await replay.saveProgress(own, rested);
      }
    });
    for (const lane of lanes) this.#forget(lane);
  }

  #forget(lane: Lane): void {
    this.parts.main.remove(lane);
    for (const replay of this.parts.replays) replay.removeLane(lane);
    this.#leaving.delete(lane);
  }
}

/** Returns the progress of a reader in lanes where none of its entries is in progress. */
function restedIn(cursors: LaneCursors, lanes: readonly Lane[]) {
  return lanes.flatMap(({ number }) => {
    const cursor = cursors.of(number);
    cursor?.rest();
    return cursor?.progress ?? [];
  });
}
