import {
  type DeadLetter,
  type DeadLetterPage,
  type DeadLetters,
  type DeadScan,
  type DeadSelection,
  isSelected,
  shownBody,
  type Watch,
} from "../delivery/dead-letters";
import { UnknownQueue } from "../delivery/queue-errors";
import { utcTimeIn } from "../schema/time";
import type { DeadRow } from "../store/consumer/dead-letter-table";
import type { ConsumerData, ConsumerStore } from "../store/consumer/store";
import type { ConsumerStores } from "../store/consumer/stores";
import { atOnce } from "../store/consumer/waiting-table";
import { withStore } from "./queue-store";

const batch = 500;
/** Number of dead letters to read at a time, as each may be large. */
const scanBatch = 100;
/** Maximum number of dead letters to search for one page. */
const mostLooked = 10_000;

/** Dead letters without a broker, in the consumers' own stores. */
export class EmbeddedDeadLetters implements DeadLetters {
  constructor(readonly consumers: ConsumerStores) {}

  async queues(): Promise<{ queue: string; count: number }[]> {
    const queues = await this.consumers.queues();
    return Promise.all(queues.map(async (queue) => ({ queue, count: await this.#with(queue, ({ dead }) => dead.count()) })));
  }

  async check(queue: string): Promise<void> {
    if (!(await this.consumers.has(queue))) throw new UnknownQueue(queue);
  }

  async scan(queue: string, selection: DeadSelection, most: number, look: (letter: DeadLetter) => void): Promise<DeadScan> {
    const { last: upTo, total } = await this.#bounds(queue);
    let looked = 0;
    for (let after = 0; looked < most; ) {
      const rows = await this.#with(queue, ({ dead }) => dead.list({}, after, Math.min(scanBatch, most - looked)));
      const old = rows.filter(({ number }) => number <= upTo);
      for (const row of old) if (isIn(selection, row)) look(toDeadLetter(row));
      looked += old.length;
      if (old.length < scanBatch) break;
      after = old.at(-1)?.number ?? after;
      await new Promise(setImmediate);
    }
    return { looked, isComplete: looked >= total, upTo };
  }

  async list(queue: string, selection: DeadSelection, after: number, limit: number): Promise<DeadLetterPage> {
    const { last: upTo } = await this.#bounds(queue);
    const size = Math.min(scanBatch, limit + 1);
    const found: DeadRow[] = [];
    let reached: number | null = after;
    for (let looked = 0; reached !== null && found.length <= limit && looked < mostLooked; looked += size) {
      const from: number = reached;
      const rows = await this.#with(queue, ({ dead }) => dead.list(selection, from, size));
      found.push(...rows.filter((row) => isIn(selection, row)));
      reached = rows.length < size ? null : (rows.at(-1)?.number ?? null);
    }
    const shown = found.slice(0, limit);
    const next = found.length > limit ? (shown.at(-1)?.number ?? null) : reached;
    return { deadLetters: shown.map(toDeadLetter), next, upTo };
  }

  /** The bound is the number of the newest one, which is never used again. */
  boundAfter(upTo: number): number {
    return upTo;
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
    const { last, total } = await this.#bounds(queue);
    const bound = Math.min(last, selection.upTo ?? last);
    let count = 0;
    let looked = 0;
    for (let after = 0; !stop?.aborted; ) {
      const rows = await this.#with(queue, (store) =>
        store.together(async (own) => {
          const found = (await own.dead.list(selection, after, batch)).filter(({ number }) => number <= bound);
          for (const row of found) {
            if (!isIn(selection, row)) continue;
            await act(own, row);
            await own.dead.remove(row.number);
            count += 1;
          }
          return found;
        }),
      );
      looked += rows.length;
      after = rows.at(-1)?.number ?? after;
      onProgress?.(rows.length < batch ? total : Math.min(looked, total), total, count);
      if (rows.length < batch) break;
      await new Promise(setImmediate);
    }
    return count;
  }

  /** Resolves with the number of the newest dead letter, and how many there are. */
  #bounds(queue: string): Promise<{ last: number; total: number }> {
    return this.#with(queue, async ({ dead }) => ({ last: await dead.last(), total: await dead.count() }));
  }

  #with<T>(queue: string, use: (store: ConsumerStore) => Promise<T>): Promise<T> {
    return withStore(this.consumers, queue, use);
  }
}

function isIn(selection: DeadSelection, row: DeadRow): boolean {
  return isSelected(selection, { ...row, text: () => row.body });
}

function toDeadLetter({ number: _, replay: __, traceparent: ___, body, firstFailure, lastFailure, ...row }: DeadRow): DeadLetter {
  return { ...row, firstFailure: utcTimeIn(firstFailure), lastFailure: utcTimeIn(lastFailure), ...shownBody(Buffer.from(body)) };
}
