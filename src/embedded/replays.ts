import { existsSync } from "node:fs";
import { join } from "node:path";
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
import { type ConsumerFile, openConsumerFile } from "../store/consumer/file";
import { consumerFiles } from "../store/consumer/files";
import { isBusy, whenUnlocked } from "../store/lock-wait";
import type { LogReader } from "../store/log";
import type { ReplayRow } from "../store/replay";
import { isLocked } from "../store/sqlite/lock";

/**
 * Replays without a broker. They are written to the consumer's file, and the consumer reads the log a second time. A
 * consumer that is not running does so when it runs again.
 */
export class EmbeddedReplays implements Replays {
  constructor(
    readonly log: LogReader & { readonly logId: string },
    /** Folder of the consumers' files. */
    readonly folder: string,
  ) {}

  async start(queue: string, selection: ReplaySelection, part: Partial<LogPart> = {}): Promise<Replay> {
    const file = fileOfQueue(this.folder, queue);
    const { after: first = await beginningOf(this.log, selection), last = await this.log.end() } = part;
    const asked = await this.belonging(queue, selection);
    return withFile(file, ({ replays }) => {
      refuseTooMany(replays.unfinished(this.log.logId).length);
      const id = Bun.randomUUIDv7();
      const createdAt = new Date().toISOString();
      replays.add({ id, logId: this.log.logId, queue, fill: 0, selection: JSON.stringify(asked), first, last, createdAt });
      return show(replays.get(id) as ReplayRow, file);
    });
  }

  async cancel(id: string): Promise<Replay | undefined> {
    for (const file of this.#files()) {
      const replay = await withFile(file, ({ replays, together }) =>
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
    return narrowed(selection, await withFile(fileOfQueue(this.folder, queue), (file) => file.followedTypes(this.log.logId) ?? null));
  }

  async get(id: string): Promise<Replay | undefined> {
    for (const file of this.#files()) {
      const row = await withFile(file, ({ replays }) => replays.get(id));
      if (row) return show(row, file);
    }
    return undefined;
  }

  async list(limit: number): Promise<Replay[]> {
    const lists = await Promise.all(
      this.#files().map(async (file) => (await withFile(file, ({ replays }) => replays.list(limit))).map((row) => show(row, file))),
    );
    return lists
      .flat()
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  #files(): string[] {
    return consumerFiles(this.folder).map((queue) => join(this.folder, `${queue}.db`));
  }
}

function show(row: ReplayRow, file: string): Replay {
  const isWaiting = row.finishedAt === null && !isLocked(`${file}.lock`);
  return toReplay(row, "running", isWaiting ? noConsumerNote(row.queue, "the replay waits until one starts") : null);
}

/**
 * Returns the file of a queue in this folder.
 *
 * @throws {UnknownQueue} if it has none.
 */
export function fileOfQueue(folder: string, queue: string): string {
  const file = join(folder, `${queue}.db`);
  if (!existsSync(file)) throw new UnknownQueue(queue);
  return file;
}

/**
 * Opens a consumer's file for one use.
 *
 * @throws {QueueUnavailable} if another process locks the file for too long, such as a handler in its transaction.
 */
export async function withFile<T>(path: string, use: (file: ConsumerFile) => T): Promise<T> {
  try {
    return await whenUnlocked(() => {
      const file = openConsumerFile(path, { durable: false });
      try {
        return use(file);
      } finally {
        file.close();
      }
    });
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new QueueUnavailable(`The file ${path} is held by its consumer for a long time; try again.`, { cause: error });
  }
}
