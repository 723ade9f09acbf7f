import { setTimeout } from "node:timers/promises";
import { type Log, messageOf } from "../observe/logging";
import type { QueueDanger } from "./queue-dangers";
import { dangerText, type QueueInspector } from "./queue-inspection";

/** Interval between inspections, in milliseconds. Arguments and policies change seldom. */
export const lookEveryMs = 60_000;

/** Knows which queues could drop events because of how they were set up, and says each once. */
export class QueueWatch {
  #found = new Map<string, readonly QueueDanger[]>();
  readonly #said = new Set<string>();

  /** @param names the queues to look at. */
  constructor(
    readonly inspector: QueueInspector,
    readonly names: () => Promise<readonly string[]>,
    readonly log: Log,
  ) {}

  get dangers(): (QueueDanger & { readonly queue: string })[] {
    return [...this.#found].flatMap(([queue, dangers]) => dangers.map((danger) => ({ queue, ...danger })));
  }

  /** Each danger as a sentence. */
  get problems(): string[] {
    return this.dangers.map((danger) => dangerText(danger.queue, danger));
  }

  /** Looks now and from time to time, until the connection is closed. */
  async run(closed: AbortSignal): Promise<void> {
    while (!closed.aborted) {
      await this.look().catch((error: unknown) =>
        this.log.debug({ error: messageOf(error) }, "Could not look at how the queues are set up"),
      );
      await setTimeout(lookEveryMs, undefined, { signal: closed }).catch(() => {});
    }
  }

  async look(): Promise<void> {
    const found = new Map<string, readonly QueueDanger[]>();
    for (const queue of await this.names()) {
      const { dangers = [] } = (await this.inspector.inspect(queue)) ?? {};
      if (dangers.length > 0) found.set(queue, dangers);
      for (const danger of dangers) warnOf(queue, danger, this.log, this.#said);
    }
    this.#found = found;
  }
}

/** Warns of a danger, unless that was said before. */
export function warnOf(queue: string, danger: QueueDanger, log: Log, said: Set<string>): void {
  const text = dangerText(queue, danger);
  if (said.has(text)) return;
  said.add(text);
  log.warn({ queue, argument: danger.argument, todo: danger.todo }, text);
}
