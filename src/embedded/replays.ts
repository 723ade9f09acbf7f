import { QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import { narrowed } from "../delivery/queue-types";
import type { ReplaySelection } from "../delivery/replay-selection";
import {
  beginningOf,
  type CountOptions,
  cancelledError,
  countPast,
  type LogPart,
  noConsumerNote,
  type Replay,
  type Replays,
  refuseTooMany,
  toReplay,
} from "../delivery/replays";
import type { ConsumerStore } from "../store/consumer/store";
import type { ConsumerStores } from "../store/consumer/stores";
import { isBusy, whenUnlocked } from "../store/lock-wait";
import type { LogReader } from "../store/log";
import type { ReplayRow } from "../store/replay";

/**
 * Replays without a broker. They are written to the consumer's store, and the consumer reads the log a second time. A
 * consumer that is not running does so when it runs again.
 */
export class EmbeddedReplays implements Replays {
  constructor(
    readonly log: LogReader & { readonly logId: string },
    readonly consumers: ConsumerStores,
  ) {}

  async start(queue: string, selection: ReplaySelection, part: Partial<LogPart> = {}): Promise<Replay> {
    const { after: first = await beginningOf(this.log, selection), last = await this.log.end() } = part;
    const asked = await this.belonging(queue, selection);
    const row = await withStore(this.consumers, queue, ({ replays }) => {
      refuseTooMany(replays.unfinished(this.log.logId).length);
      const id = Bun.randomUUIDv7();
      const createdAt = new Date().toISOString();
      replays.add({ id, logId: this.log.logId, queue, fill: 0, selection: JSON.stringify(asked), first, last, createdAt });
      return replays.get(id) as ReplayRow;
    });
    return this.#show(row);
  }

  async cancel(id: string): Promise<Replay | undefined> {
    for (const queue of await this.consumers.queues()) {
      const replay = await withStore(this.consumers, queue, ({ replays, together }) =>
        together(() => {
          const row = replays.get(id);
          if (!row || row.finishedAt !== null) return row;
          replays.save(id, { ...row, finishedAt: new Date().toISOString(), error: cancelledError });
          return replays.get(id);
        }),
      );
      if (replay) return toReplay(replay);
    }
    return undefined;
  }

  async count(queue: string, selection: ReplaySelection, options?: CountOptions): Promise<number> {
    return countPast(this.log, await this.belonging(queue, selection), options);
  }

  /** Removes from a selection the event types that the queue's consumer does not ask for. */
  async belonging(queue: string, selection: ReplaySelection): Promise<ReplaySelection> {
    return narrowed(selection, await withStore(this.consumers, queue, (store) => store.followedTypes(this.log.logId) ?? null));
  }

  async get(id: string): Promise<Replay | undefined> {
    for (const queue of await this.consumers.queues()) {
      const row = await withStore(this.consumers, queue, ({ replays }) => replays.get(id));
      if (row) return this.#show(row);
    }
    return undefined;
  }

  async list(limit: number): Promise<Replay[]> {
    const lists = await Promise.all(
      (await this.consumers.queues()).map((queue) => withStore(this.consumers, queue, ({ replays }) => replays.list(limit))),
    );
    const newest = lists
      .flat()
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
    return Promise.all(newest.map((row) => this.#show(row)));
  }

  async #show(row: ReplayRow): Promise<Replay> {
    const isWaiting = row.finishedAt === null && !(await this.consumers.isClaimed(row.queue));
    return toReplay(row, "running", isWaiting ? noConsumerNote(row.queue, "the replay waits until one starts") : null);
  }
}

/**
 * Opens the store of a queue's consumer for one use.
 *
 * @throws {UnknownQueue} if the queue has none.
 * @throws {QueueUnavailable} if another process locks it for too long, such as a handler in its transaction.
 */
export async function withStore<T>(consumers: ConsumerStores, queue: string, use: (store: ConsumerStore) => T): Promise<T> {
  if (!(await consumers.has(queue))) throw new UnknownQueue(queue);
  try {
    return await whenUnlocked(() => {
      const store = consumers.open(queue, { durable: false });
      try {
        return use(store);
      } finally {
        store.close();
      }
    });
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new QueueUnavailable(`The file ${consumers.shownOf(queue)} has been locked by its consumer for too long; try again.`, {
      cause: error,
    });
  }
}
