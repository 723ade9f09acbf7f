import type { Consumer } from "../delivery/consumer-options";
import { mostAtOnce } from "../delivery/replays";
import type { ConsumerData } from "../store/consumer/store";
import { RunningReplay } from "./running-replay";

/** The replays that a consumer without a broker runs, as requested in its file. */
export class RunningReplays {
  readonly #running = new Map<string, RunningReplay>();

  constructor(
    readonly consumer: Consumer,
    readonly data: ConsumerData,
    readonly logId: string,
  ) {}

  /** Starts requested replays, up to {@link mostAtOnce} at the same time, and drops cancelled ones. */
  async look(): Promise<void> {
    const unfinished = await this.data.replays.unfinished(this.logId);
    const ids = new Set(unfinished.map(({ id }) => id));
    for (const id of this.#running.keys()) if (!ids.has(id)) this.#running.delete(id);
    for (const row of unfinished) {
      if (this.#running.size >= mostAtOnce) break;
      if (this.#running.has(row.id)) continue;
      this.#running.set(row.id, new RunningReplay(row, this.data, this.consumer.wanted));
      this.consumer.log.info({ queue: this.consumer.queue, replay: row.id }, "Replaying past events");
    }
  }

  /** Replays whose rate allows an event now. */
  get ready(): RunningReplay[] {
    return [...this.#running.values()].filter((replay) => !replay.isHeldBack);
  }

  get isEmpty(): boolean {
    return this.#running.size === 0;
  }

  /** Number of replayed events that are with the handler or wait for it. */
  get inHand(): number {
    let inHand = 0;
    for (const { cursor } of this.#running.values()) inHand += cursor.inHand;
    return inHand;
  }

  /** Records that a replay is finished. */
  async finish(replay: RunningReplay): Promise<void> {
    await replay.finish(new Date().toISOString());
    this.#running.delete(replay.id);
    this.consumer.log.info({ queue: this.consumer.queue, replay: replay.id, events: replay.sent }, "Replay finished");
    // More replays may be waiting for their turn.
    await this.look();
  }

  /** Records in a transaction that none of their events is in progress. */
  async rest(own: ConsumerData): Promise<void> {
    for (const replay of this.#running.values()) await replay.rest(own);
  }
}
