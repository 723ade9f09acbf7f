import { cancelledError, noConsumerNote, type RecordedReplay, type ReplayTransport } from "../delivery/replays";
import type { ConsumerStores } from "../store/consumer/stores";
import type { LogReader } from "../store/log";
import type { NewReplay, ReplayRow } from "../store/replay";
import { timestamp } from "../timing/clock";
import { withStore } from "./queue-store";

/**
 * Replays without a broker. They are written to the consumer's store, and the consumer reads the log a second time. A
 * consumer that is not running does so when it runs again.
 */
export class EmbeddedReplays implements ReplayTransport {
  constructor(
    readonly log: LogReader & { readonly logId: string },
    readonly consumers: ConsumerStores,
  ) {}

  typesOn(queue: string): Promise<readonly string[] | null> {
    return withStore(this.consumers, queue, async (store) => (await store.followedTypes(this.log.logId)) ?? null);
  }

  unfinished(queue: string): Promise<number> {
    return withStore(this.consumers, queue, async ({ replays }) => (await replays.unfinished(this.log.logId)).length);
  }

  async begin(replay: Omit<NewReplay, "logId">): Promise<RecordedReplay> {
    const row = await withStore(this.consumers, replay.queue, async ({ replays }) => {
      await replays.add({ ...replay, logId: this.log.logId });
      return (await replays.get(replay.id)) as ReplayRow;
    });
    return this.#recorded(row);
  }

  async find(id: string): Promise<RecordedReplay | undefined> {
    for (const queue of await this.consumers.queues()) {
      const row = await withStore(this.consumers, queue, ({ replays }) => replays.get(id));
      if (row) return this.#recorded(row);
    }
    return undefined;
  }

  cancel(queue: string, id: string): Promise<void> {
    return withStore(this.consumers, queue, ({ replays }) => replays.end(id, timestamp(), cancelledError));
  }

  async list(limit: number): Promise<RecordedReplay[]> {
    const queues = await this.consumers.queues();
    const lists = await Promise.all(queues.map((queue) => withStore(this.consumers, queue, ({ replays }) => replays.list(limit))));
    const newest = lists
      .flat()
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
    return Promise.all(newest.map((row) => this.#recorded(row)));
  }

  async #recorded(row: ReplayRow): Promise<RecordedReplay> {
    const isWaiting = row.finishedAt === null && (await this.consumers.consuming(row.queue)) === 0;
    return { row, note: isWaiting ? noConsumerNote(row.queue, "the replay waits until one starts") : null };
  }
}
