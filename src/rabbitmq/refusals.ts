import { type Log, messageOf } from "../observe/logging";
import type { Refusal } from "../store/queue-store";
import type { Store } from "../store/store";
import { now } from "../timing/clock";

/** Maximum number of distinct refusals tracked. Senders choose the names, so the number must be bounded. */
const mostTold = 100;
const saveEveryMs = 10_000;
const longestName = 200;

/** How long a refused announcement is of interest, in milliseconds. */
export const refusalLifetimeMs = 24 * 3_600_000;

/** Records refused announcements: logs each kind once, and stores it for `bun run status`. */
export class Refusals {
  readonly #known = new Map<string, Refusal & { readonly savedAt: number }>();

  constructor(
    readonly store: Pick<Store, "refusals">,
    readonly log: Log,
  ) {}

  /**
   * Records a refused announcement.
   *
   * @param name Name of the queue, as given by the sender.
   * @param user RabbitMQ user of the sender, if known.
   */
  note(name: string, problem: string, user: string | undefined): void {
    const queue = name.slice(0, longestName);
    const key = JSON.stringify([queue, problem]);
    const known = this.#known.get(key);
    if (!known && this.#known.size >= mostTold) return;
    if (!known) {
      this.log.warn({ queue, user, problem }, "Refused an announcement. More of the same are counted but not logged");
      if (this.#known.size === mostTold - 1) this.log.warn("Refused too many different announcements; others are no longer logged");
    }
    const refusal = { queue, problem, count: (known?.count ?? 0) + 1, lastAt: now() };
    const isDue = !known || performance.now() - known.savedAt > saveEveryMs;
    this.#known.set(key, { ...refusal, savedAt: isDue ? performance.now() : known.savedAt });
    if (isDue) this.#save(refusal);
  }

  #save(refusal: Refusal): void {
    this.store.refusals
      .save(refusal)
      .catch((error: unknown) => this.log.debug({ error: messageOf(error) }, "Cannot record a refused announcement"));
  }
}
