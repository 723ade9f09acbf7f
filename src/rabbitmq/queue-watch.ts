import { type Log, messageOf } from "../observe/logging";
import { pause } from "../timing/pause";
import { MissingQueues } from "./missing-queues";
import type { QueueDanger } from "./queue-dangers";
import { dangerText, type Inspection, type QueueInspector } from "./queue-inspection";
import { deadQueueOf } from "./topology";

/** Interval between inspections, in milliseconds. Arguments and policies rarely change. */
export const lookEveryMs = 60_000;

/** Finds queues that could drop events because of how they were set up. Logs each danger once. */
export class QueueWatch {
  #found = new Map<string, Inspection>();
  readonly #said = new Set<string>();
  readonly #missing = new MissingQueues(10 * lookEveryMs);

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

  /** Inspects the queues now and at intervals, until `closed` aborts. */
  async run(closed: AbortSignal): Promise<void> {
    while (!closed.aborted) {
      await this.look().catch((error: unknown) => this.log.debug({ error: messageOf(error) }, "Cannot check the setup of the queues"));
      await pause(lookEveryMs, closed);
    }
  }

  async look(): Promise<void> {
    const found = new Map<string, Inspection>();
    for (const name of await this.names()) {
      for (const queue of [name, deadQueueOf(name)]) {
        const inspection = await this.#missing.find(queue, () => this.inspector.inspect(queue));
        if (!inspection) continue;
        found.set(queue, inspection);
        for (const danger of inspection.dangers) warnOf(queue, danger, this.log, this.#said);
      }
    }
    this.#found = found;
  }

  /** Resolves with why a queue could refuse events. Undefined if its setup does not say so. */
  async limitOf(queue: string): Promise<string | undefined> {
    return (this.#found.get(queue) ?? (await this.inspector.inspect(queue)))?.limit;
  }
}

/** Logs a danger as a warning, unless `said` contains it. */
export function warnOf(queue: string, danger: QueueDanger, log: Log, said: Set<string>): void {
  const text = dangerText(queue, danger);
  if (said.has(text)) return;
  said.add(text);
  log.warn({ queue, argument: danger.argument, todo: danger.todo }, text);
}
