import { setTimeout } from "node:timers/promises";
import { type Log, messageOf } from "../observe/logging";
import { MissingQueues } from "./missing-queues";
import type { QueueDanger } from "./queue-dangers";
import { dangerText, type Inspection, type QueueInspector } from "./queue-inspection";
import { deadQueueOf } from "./topology";

/** Interval between inspections, in milliseconds. Arguments and policies change seldom. */
export const lookEveryMs = 60_000;

/** Knows which queues could drop events because of how they were set up, and says each once. */
export class QueueWatch {
  #found = new Map<string, Inspection>();
  readonly #said = new Set<string>();
  readonly #missing = new MissingQueues(10 * lookEveryMs);

  /** @param names the queues to look at, each with its dead letters. */
  constructor(
    readonly inspector: QueueInspector,
    readonly names: () => Promise<readonly string[]>,
    readonly log: Log,
  ) {}

  get dangers(): (QueueDanger & { readonly queue: string })[] {
    return [...this.#found].flatMap(([queue, { dangers }]) => dangers.map((danger) => ({ queue, ...danger })));
  }

  /** Each danger as a sentence. */
  get problems(): string[] {
    return this.dangers.map((danger) => dangerText(danger.queue, danger));
  }

  /** Looks now and from time to time, until the connection is closed. */
  async run(closed: AbortSignal): Promise<void> {
    while (!closed.aborted) {
      await this.look().catch((error: unknown) => this.log.debug({ error: messageOf(error) }, "Cannot check the setup of the queues"));
      await setTimeout(lookEveryMs, undefined, { signal: closed }).catch(() => {});
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

  /** Why a queue could refuse events; undefined: nothing says that it does. */
  async limitOf(queue: string): Promise<string | undefined> {
    return (this.#found.get(queue) ?? (await this.inspector.inspect(queue)))?.limit;
  }
}

/** Warns of a danger, unless that was said before. */
export function warnOf(queue: string, danger: QueueDanger, log: Log, said: Set<string>): void {
  const text = dangerText(queue, danger);
  if (said.has(text)) return;
  said.add(text);
  log.warn({ queue, argument: danger.argument, todo: danger.todo }, text);
}
