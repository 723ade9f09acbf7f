import type { Change, Kind } from "./history";
import type { Random } from "./random";

const clients = 6;
const timeoutMs = 5000;

/** An item as seen by its only client. */
interface Known {
  readonly id: number;
}

/** Clients that keep creating, changing and deleting items, and record the responses. */
export class Clients {
  readonly changes: Change[] = [];
  acknowledged = 0;
  #working: Promise<unknown> | undefined;
  #stopping = false;
  #named = 0;
  #waiting: { count: number; resolve(): void }[] = [];

  constructor(
    readonly url: string,
    readonly random: Random,
  ) {}

  start(): void {
    this.#stopping = false;
    this.#working = Promise.all(Array.from({ length: clients }, () => this.#work()));
  }

  /** Stops the clients after the requests in progress. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#working;
  }

  /** Resolves when `more` further changes are acknowledged. Fails after a minute, since the API then does not work. */
  async until(more: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    const timer = setTimeout(() => done.reject(new Error(`The API did not acknowledge ${more} changes within a minute.`)), 60_000);
    this.#waiting.push({ count: this.acknowledged + more, resolve: done.resolve });
    await done.promise.finally(() => clearTimeout(timer));
  }

  /** Makes a single change. */
  async ask(): Promise<void> {
    await this.#ask("created", "POST", undefined);
  }

  async #work(): Promise<void> {
    const items: Known[] = [];
    while (!this.#stopping) {
      await this.#next(items);
      await Bun.sleep(this.random.between(2, 20));
    }
  }

  async #next(items: Known[]): Promise<void> {
    const { random } = this;
    const index = random.between(0, Math.max(0, items.length - 1));
    const item = items[index];
    if (!item || (items.length < 20 && random.chance(0.4))) {
      const created = await this.#ask("created", "POST", undefined);
      if (created) items.push(created);
    } else if (random.chance(0.8)) {
      await this.#ask("updated", random.of(["PUT", "PATCH"]), item);
    } else {
      // Whether or not it is deleted, no client uses the item again.
      items.splice(index, 1);
      await this.#ask("deleted", "DELETE", item);
    }
  }

  async #ask(kind: Kind, method: string, item: Known | undefined): Promise<Known | undefined> {
    this.#named += 1;
    const name = kind === "deleted" ? undefined : `change ${this.#named}`;
    const note = (told: Change["told"], id = item?.id, version?: number) => {
      this.changes.push({ kind, name, item: id, told, version });
    };
    try {
      const response = await fetch(`${this.url}/items${item ? `/${item.id}` : ""}`, {
        method,
        // On a reused connection, fetch itself repeats a request that got no response.
        keepalive: false,
        signal: AbortSignal.timeout(timeoutMs),
        ...(name && { body: JSON.stringify({ name }), headers: { "content-type": "application/json" } }),
      });
      const text = await response.text();
      if (!response.ok) {
        note("refused");
        return undefined;
      }
      const answer = text ? (JSON.parse(text) as { id: number; version: number }) : undefined;
      note("done", answer?.id, answer?.version);
      this.#acknowledge();
      return answer;
    } catch (error) {
      const notSent = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
      if (!notSent) note("unknown");
      await Bun.sleep(20);
      return undefined;
    }
  }

  #acknowledge(): void {
    this.acknowledged += 1;
    if (this.#waiting.length === 0) return;
    const due = this.#waiting.filter(({ count }) => count <= this.acknowledged);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ count }) => count > this.acknowledged);
    for (const { resolve } of due) resolve();
  }
}
