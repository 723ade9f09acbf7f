import { type Log, messageOf } from "../observe/logging";
import type { Leadership } from "../store/leadership";
import { pause } from "../timing/pause";
import { MissingQueues } from "./missing-queues";
import type { QueueDanger } from "./queue-dangers";
import { dangerText, type Inspection, type QueueInspector } from "./queue-inspection";
import { deadQueueOf } from "./topology";

/** Interval between inspections, in milliseconds. Arguments and policies rarely change. */
export const lookEveryMs = 60_000;

/** Maximum time that the first events wait for the first inspection, in milliseconds. */
const longestFirstLookMs = 5_000;

/** Finds queues that could drop events because of how they were set up. Logs each danger once. */
export class QueueWatch {
  #found = new Map<string, Inspection>();
  /** Queues that get events and may refuse them. */
  readonly #limited = new Set<string>();
  /** The leadership in which it has looked. */
  #lookedIn: number | undefined;
  readonly #said = new Set<string>();
  #missing = new MissingQueues(10 * lookEveryMs);

  /** @param names queues to inspect, together with their dead-letter queues. */
  constructor(
    readonly inspector: QueueInspector,
    readonly names: () => Promise<readonly string[]>,
    readonly log: Log,
  ) {}

  get dangers(): (QueueDanger & { readonly queue: string })[] {
    return [...this.#found].flatMap(([queue, { dangers }]) => dangers.map((danger) => ({ queue, ...danger })));
  }

  /** A sentence for each danger. */
  get problems(): string[] {
    return this.dangers.map((danger) => dangerText(danger.queue, danger));
  }

  /** Returns whether a queue that gets events may refuse them, according to its setup when it was last inspected. */
  get hasLimit(): boolean {
    return this.#limited.size > 0;
  }

  /** Returns whether one of the queues was a quorum queue when it was last inspected. */
  get hasQuorum(): boolean {
    return [...this.#found.values()].some(({ isQuorum }) => isQuorum);
  }

  /**
   * Inspects the queues now and at intervals, until the leadership ends. Resolves when `hasLimit` is known, or after a while, since a
   * management API that does not respond delays each inspection.
   */
  async start({ until, epoch }: Pick<Leadership, "until" | "epoch">): Promise<void> {
    const isNew = this.#lookedIn !== epoch;
    // Another process may have created queues meanwhile.
    if (isNew) this.#missing = new MissingQueues(10 * lookEveryMs);
    const looked = new AbortController();
    void this.#run(until, epoch, () => looked.abort());
    if (isNew) await pause(longestFirstLookMs, AbortSignal.any([until, looked.signal]));
  }

  async #run(until: AbortSignal, epoch: number, onLooked: () => void): Promise<void> {
    while (!until.aborted) {
      try {
        await this.look();
        this.#lookedIn = epoch;
      } catch (error) {
        this.log.debug({ error: messageOf(error) }, "Cannot check the setup of the queues");
      }
      onLooked();
      await pause(lookEveryMs, until);
    }
  }

  async look(): Promise<void> {
    const found = new Map<string, Inspection>();
    const names = await this.names();
    for (const name of this.#limited) if (!names.includes(name)) this.#limited.delete(name);
    for (const name of names) {
      for (const queue of [name, deadQueueOf(name)]) {
        const inspection = await this.#missing.find(queue, () => this.inspector.inspect(queue));
        if (!inspection) continue;
        found.set(queue, inspection);
        if (queue === name) this.#noteLimit(queue, inspection);
        for (const danger of inspection.dangers) warnOf(queue, danger, this.log, this.#said);
      }
    }
    this.#found = found;
  }

  /** Inspects a queue that is about to get events. */
  async lookAt(queue: string): Promise<void> {
    const inspection = await this.inspector.inspect(queue);
    if (inspection) this.#noteLimit(queue, inspection);
  }

  #noteLimit(queue: string, { limit }: Inspection): void {
    if (limit === undefined) this.#limited.delete(queue);
    else this.#limited.add(queue);
  }

  /** Resolves with why a queue could refuse events. Undefined if its setup does not say so. */
  async limitOf(queue: string): Promise<string | undefined> {
    return (await this.#inspected(queue))?.limit;
  }

  /** Resolves with whether a queue is a quorum queue that, by its setup, is never full. */
  async isUnlimited(queue: string): Promise<boolean> {
    const inspection = await this.#inspected(queue);
    return inspection?.isQuorum === true && inspection.limit === undefined;
  }

  async #inspected(queue: string): Promise<Inspection | undefined> {
    return this.#found.get(queue) ?? (await this.inspector.inspect(queue));
  }
}

/** Logs a danger as a warning, unless `said` contains it. */
export function warnOf(queue: string, danger: QueueDanger, log: Log, said: Set<string>): void {
  const text = dangerText(queue, danger);
  if (said.has(text)) return;
  said.add(text);
  log.warn({ queue, argument: danger.argument, todo: danger.todo }, text);
}
