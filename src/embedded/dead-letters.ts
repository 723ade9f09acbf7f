import {
  type DeadLetter,
  type DeadLetterPage,
  type DeadLetters,
  type DeadSelection,
  shownBody,
  type Watch,
} from "../delivery/dead-letters";
import { utcTimeIn } from "../schema/time";
import type { DeadRow } from "../store/consumer/dead-letter-table";
import type { ConsumerData, ConsumerStore } from "../store/consumer/store";
import type { ConsumerStores } from "../store/consumer/stores";
import { atOnce } from "../store/consumer/waiting-table";
import { withStore } from "./queue-store";

const batch = 500;

/** Dead letters without a broker, in the consumers' own stores. */
export class EmbeddedDeadLetters implements DeadLetters {
  constructor(readonly consumers: ConsumerStores) {}

  async queues(): Promise<{ queue: string; count: number }[]> {
    const queues = await this.consumers.queues();
    return Promise.all(queues.map(async (queue) => ({ queue, count: await this.#with(queue, ({ dead }) => dead.count()) })));
  }

  async list(queue: string, selection: DeadSelection, after: number, limit: number): Promise<DeadLetterPage> {
    const rows = await this.#with(queue, ({ dead }) => dead.list(selection, after, limit + 1));
    const shown = rows.slice(0, limit);
    return { deadLetters: shown.map(toDeadLetter), next: rows.length > limit ? (shown.at(-1)?.number ?? null) : null };
  }

  redrive(queue: string, selection: DeadSelection, watch?: Watch): Promise<number> {
    return this.#each(
      queue,
      selection,
      ({ waiting }, { id, body, replay, traceparent }) =>
        waiting.add({ id, body, attempts: 0, dueAt: atOnce, delayMs: 0, firstFailure: null, replay, traceparent }),
      watch,
    );
  }

  discard(queue: string, selection: DeadSelection, watch?: Watch): Promise<number> {
    return this.#each(queue, selection, async () => {}, watch);
  }

  /** Works in batches, so that the consumer's own writes get their turn. */
  async #each(
    queue: string,
    selection: DeadSelection,
    act: (data: ConsumerData, row: DeadRow) => Promise<void>,
    { onProgress, stop }: Watch = {},
  ): Promise<number> {
    const { last, total } = await this.#with(queue, async ({ dead }) => ({ last: await dead.last(), total: await dead.count() }));
    let count = 0;
    for (let after = 0; !stop?.aborted; ) {
      const rows = await this.#with(queue, (store) =>
        store.together(async (own) => {
          const found = (await own.dead.list(selection, after, batch)).filter((row) => row.number <= last);
          for (const row of found) {
            await act(own, row);
            await own.dead.remove(row.number);
          }
          return found;
        }),
      );
      count += rows.length;
      after = rows.at(-1)?.number ?? after;
      onProgress?.(rows.length < batch ? total : Math.min(count, total), total);
      if (rows.length < batch) break;
      await new Promise(setImmediate);
    }
    return count;
  }

  #with<T>(queue: string, use: (store: ConsumerStore) => Promise<T>): Promise<T> {
    return withStore(this.consumers, queue, use);
  }
}

function toDeadLetter({ number: _, replay: __, traceparent: ___, body, firstFailure, lastFailure, ...row }: DeadRow): DeadLetter {
  return { ...row, firstFailure: utcTimeIn(firstFailure), lastFailure: utcTimeIn(lastFailure), ...shownBody(Buffer.from(body)) };
}
