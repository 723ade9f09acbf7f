/** Remembers which queues do not exist, and looks for them less often, since RabbitMQ logs an error each time. */
export class MissingQueues {
  /** Time of the last look for each queue, by `performance.now()`. */
  readonly #lookedAt = new Map<string, number>();

  /** @param lookEveryMs minimum interval between two looks at a missing queue, in milliseconds. */
  constructor(readonly lookEveryMs: number) {}

  /** Resolves with what `look` finds. Resolves with undefined if it finds nothing, or found nothing less than an interval ago. */
  async find<T>(queue: string, look: () => Promise<T | undefined>): Promise<T | undefined> {
    const now = performance.now();
    if (now - (this.#lookedAt.get(queue) ?? Number.NEGATIVE_INFINITY) < this.lookEveryMs) return undefined;
    const found = await look();
    if (found === undefined) this.#lookedAt.set(queue, now);
    else this.#lookedAt.delete(queue);
    return found;
  }
}
