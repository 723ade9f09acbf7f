import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ConsumerFile, openConsumerFile } from "../store/consumer-file";
import type { LogReader } from "../store/store";
import { QueueUnavailable, UnknownQueue } from "./queue-errors";
import type { ReplaySelection } from "./replay-selection";
import { beginningOf, type LogPart, type Replay, type Replays, toReplay } from "./replays";

/**
 * Replays without a broker: written into the consumer's file, for the consumer to read the log a second time. One that
 * does not run now does so when it runs again.
 */
export class EmbeddedReplays implements Replays {
  constructor(
    readonly log: LogReader & { readonly logId: string },
    /** The folder of the consumers' files. */
    readonly folder: string,
  ) {}

  async start(queue: string, selection: ReplaySelection, part: Partial<LogPart> = {}): Promise<Replay> {
    const file = join(this.folder, `${queue}.db`);
    if (!existsSync(file)) throw new UnknownQueue(queue);
    const { after: first = await beginningOf(this.log, selection), last = await this.log.end() } = part;
    return withFile(file, ({ replays }) => {
      const id = Bun.randomUUIDv7();
      const createdAt = new Date().toISOString();
      replays.add({ id, logId: this.log.logId, queue, fill: 0, selection: JSON.stringify(selection), first, last, createdAt });
      return toReplay(replays.get(id) as NonNullable<ReturnType<typeof replays.get>>);
    });
  }

  async get(id: string): Promise<Replay | undefined> {
    for (const file of this.#files()) {
      const row = withFile(file, ({ replays }) => replays.get(id));
      if (row) return toReplay(row);
    }
    return undefined;
  }

  async list(limit: number): Promise<Replay[]> {
    const all = this.#files().flatMap((file) => withFile(file, ({ replays }) => replays.list(limit)));
    return all
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit)
      .map(toReplay);
  }

  #files(): string[] {
    return consumerFiles(this.folder).map((queue) => join(this.folder, `${queue}.db`));
  }
}

/** The queues that have a file in this folder. */
export function consumerFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return [...new Bun.Glob("*.db").scanSync(folder)].map((file) => file.slice(0, -".db".length)).sort();
}

/** @throws {QueueUnavailable} when somebody holds the file for too long, as a handler does in its transaction. */
export function withFile<T>(path: string, use: (file: ConsumerFile) => T): T {
  let file: ConsumerFile | undefined;
  try {
    file = openConsumerFile(path, { durable: false });
    return use(file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "SQLITE_BUSY")) throw error;
    throw new QueueUnavailable(`The file ${path} is held by its consumer for a long time; try again.`, { cause: error });
  } finally {
    file?.close();
  }
}
