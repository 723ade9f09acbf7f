import type { Consumer } from "../delivery/consumer-options";
import { mostAtOnce } from "../delivery/replays";
import type { Lane } from "../store/consumer/lanes";
import type { ConsumerData } from "../store/consumer/store";
import { timestamp } from "../timing/clock";
import { RunningReplay } from "./running-replay";

/** The replays that a consumer without a broker runs, as requested in its store. */
export class RunningReplays implements Iterable<RunningReplay> {
  readonly #running = new Map<string, RunningReplay>();

  /**
   * @param count number of lanes of the queue.
   * @param lanes returns those of this process.
   */
  constructor(
    readonly consumer: Consumer,
    readonly data: ConsumerData,
    readonly logId: string,
    readonly count: number,
    readonly lanes: () => readonly Lane[],
  ) {}

  [Symbol.iterator](): Iterator<RunningReplay> {
    return this.#running.values();
  }

  /** Starts requested replays, up to {@link mostAtOnce} at the same time, and drops those that have ended. */
  async look(): Promise<void> {
    const unfinished = await this.data.replays.unfinished(this.logId);
    const ids = new Set(unfinished.map(({ id }) => id));
    for (const id of this.#running.keys()) if (!ids.has(id)) this.#running.delete(id);
    for (const row of unfinished) {
      if (this.#running.size >= mostAtOnce) break;
      if (this.#running.has(row.id)) continue;
      const replay = new RunningReplay(row, this.data, this.consumer.wanted, this.count);
      await replay.addLanes(this.lanes());
      this.#running.set(row.id, replay);
      this.consumer.log.info({ queue: this.consumer.queue, replay: row.id }, "Replaying past events");
    }
  }

  /** Replays with something to read whose rate allows an event now. */
  get ready(): RunningReplay[] {
    return [...this].filter((replay) => !replay.isHeldBack && !replay.isDone && !replay.cursors.isEmpty);
  }

  get isEmpty(): boolean {
    return this.#running.size === 0;
  }

  /** Records that a replay is finished, if it is in the lanes of other processes, too. */
  async finish(replay: RunningReplay): Promise<void> {
    await replay.save();
    replay.isDone = true;
    if (!(await this.data.replays.finish(replay.id, timestamp()))) return;
    this.#running.delete(replay.id);
    this.consumer.log.info({ queue: this.consumer.queue, replay: replay.id, events: replay.sent }, "Replay finished");
    // More replays may be waiting for their turn.
    await this.look();
  }
}
