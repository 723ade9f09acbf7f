import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DeadRow } from "../store/dead-letter-table";
import { type DeadLetter, type DeadLetterPage, type DeadLetters, type DeadSelection, shownBody } from "./dead-letters";
import { consumerFiles, withFile } from "./embedded-replays";

const batch = 500;

/** Dead letters without a broker: they are in the consumers' own files. */
export class EmbeddedDeadLetters implements DeadLetters {
  /** @param folder of the consumers' files. */
  constructor(readonly folder: string) {}

  async queues(): Promise<{ queue: string; count: number }[]> {
    return consumerFiles(this.folder).map((queue) => ({ queue, count: withFile(this.#path(queue), ({ dead }) => dead.count()) }));
  }

  async list(queue: string, selection: DeadSelection, after: number, limit: number): Promise<DeadLetterPage> {
    if (!this.#has(queue)) return { deadLetters: [], next: null };
    const rows = withFile(this.#path(queue), ({ dead }) => dead.list(selection, after, limit + 1));
    const shown = rows.slice(0, limit);
    return { deadLetters: shown.map(toDeadLetter), next: rows.length > limit ? (shown.at(-1)?.number ?? null) : null };
  }

  redrive(queue: string, selection: DeadSelection): Promise<number> {
    const dueAt = Date.now();
    return this.#each(queue, selection, ({ waiting }, { id, body }) =>
      // As one that was asked for again: the event was never handled.
      waiting.add({ id, body, attempts: 0, dueAt, firstFailure: null, replay: "no" }),
    );
  }

  discard(queue: string, selection: DeadSelection): Promise<number> {
    return this.#each(queue, selection, () => {});
  }

  /** A part at a time, so that the consumer's own writes get in between. */
  async #each(queue: string, selection: DeadSelection, act: (file: Parameters<Parameters<typeof withFile>[1]>[0], row: DeadRow) => void) {
    if (!this.#has(queue)) return 0;
    let count = 0;
    let after = 0;
    const last = withFile(this.#path(queue), (file) => file.dead.last());
    for (;;) {
      const rows = withFile(this.#path(queue), (file) =>
        file.together(() => {
          const found = file.dead.list(selection, after, batch).filter((row) => row.number <= last);
          for (const row of found) {
            act(file, row);
            file.dead.remove(row.number);
          }
          return found;
        }),
      );
      count += rows.length;
      after = rows.at(-1)?.number ?? after;
      if (rows.length < batch) return count;
      await new Promise(setImmediate);
    }
  }

  #has(queue: string): boolean {
    return existsSync(this.#path(queue));
  }

  #path(queue: string): string {
    return join(this.folder, `${queue}.db`);
  }
}

function toDeadLetter({ number: _, body, ...row }: DeadRow): DeadLetter {
  return { ...row, ...shownBody(Buffer.from(body)) };
}
