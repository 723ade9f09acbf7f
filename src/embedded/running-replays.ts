import type { Consumer } from "../delivery/consumer-options";
import { mostAtOnce } from "../delivery/replays";
import type { ConsumerFile } from "../store/consumer/file";
import { RunningReplay } from "./running-replay";

/** The replays that a consumer without a broker makes now, as its file asks for them. */
export class RunningReplays {
  readonly #running = new Map<string, RunningReplay>();

  constructor(
    readonly consumer: Consumer,
    readonly file: ConsumerFile,
    readonly logId: string,
  ) {}

  /** Begins those that were asked for, and drops those that were cancelled. */
  look(): void {
    const unfinished = this.file.replays.unfinished(this.logId);
    const ids = new Set(unfinished.map(({ id }) => id));
    for (const id of this.#running.keys()) if (!ids.has(id)) this.#running.delete(id);
    for (const row of unfinished) {
      if (this.#running.size >= mostAtOnce) break;
      if (this.#running.has(row.id)) continue;
      this.#running.set(row.id, new RunningReplay(row, this.file, this.consumer.wanted));
      this.consumer.log.info({ queue: this.consumer.queue, replay: row.id }, "Replaying past events");
    }
  }

  /** Those that their rate does not hold back now. */
  get ready(): RunningReplay[] {
    return [...this.#running.values()].filter((replay) => !replay.isHeldBack);
  }

  get isEmpty(): boolean {
    return this.#running.size === 0;
  }

  /** Events of replays that are with the handler, or wait for it. */
  get inHand(): number {
    let inHand = 0;
    for (const { cursor } of this.#running.values()) inHand += cursor.inHand;
    return inHand;
  }

  /** Notes that it is done. */
  finish(replay: RunningReplay): void {
    replay.finish(new Date().toISOString());
    this.#running.delete(replay.id);
    this.consumer.log.info({ queue: this.consumer.queue, replay: replay.id, events: replay.sent }, "The replay is finished");
    // There may have been more than run at a time.
    this.look();
  }

  /** Notes that nothing of them is in hand. */
  rest(): void {
    for (const replay of this.#running.values()) replay.rest();
  }
}
