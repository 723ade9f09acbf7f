import type { Lane, World } from "../world";
import type { Subscriber } from "./session";

/** A message as RabbitMQ stores it. */
export interface Message {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly properties: { readonly messageId?: string; readonly headers?: Readonly<Record<string, unknown>> };
}

/** A message in a queue. */
export interface Entry {
  /** Position in the queue. A requeued message returns to it. */
  readonly order: number;
  readonly message: Message;
  dueAt: number;
  redelivered: boolean;
  /** True if it survives a crash. */
  isStored: boolean;
}

/** A classic queue, or a retry queue whose messages move on when they expire. */
export class Queue implements Lane {
  readonly entries: Entry[] = [];
  readonly subscribers: Subscriber[] = [];
  /** Acknowledged entries that a crash may bring back. */
  readonly settled: Entry[] = [];
  unacked = 0;
  #turn = 0;

  /** @param moveOn Moves an expired message. Returns false if it must stay. */
  constructor(
    readonly world: World,
    readonly name: string,
    readonly options: { readonly durable: boolean; readonly exclusive: boolean; readonly arguments: Readonly<Record<string, unknown>> },
    readonly moveOn: (queue: Queue, entry: Entry) => boolean,
  ) {
    world.lanes.add(this);
  }

  get ttlMs(): number | undefined {
    return this.options.arguments["x-message-ttl"] as number | undefined;
  }

  put(entry: Entry): void {
    const after = this.entries.findLastIndex(({ order }) => order < entry.order);
    this.entries.splice(after + 1, 0, entry);
  }

  /** Records that an entry is settled. It reappears only if the broker crashes. */
  settle(entry: Entry): void {
    this.settled.push(entry);
    if (this.settled.length > 3) this.settled.shift();
  }

  /** Keeps what survives a crash: stored entries, some unstored ones, and some that were just settled. */
  crash(): void {
    const { chance } = this.world;
    const unsure = this.entries.filter(({ isStored }) => !isStored);
    const lost = new Set(unsure.slice(chance.below(unsure.length + 1)));
    const back = this.settled.splice(0).filter(({ isStored }) => isStored && chance.chance(0.3));
    const kept = [...this.entries.filter((entry) => !lost.has(entry)), ...back];
    this.entries.length = 0;
    for (const entry of kept) this.put(Object.assign(entry, { isStored: true }));
  }

  readyAt(): number {
    const [head] = this.entries;
    if (!head) return Number.POSITIVE_INFINITY;
    if (this.ttlMs !== undefined) return head.dueAt;
    return this.subscribers.some((subscriber) => subscriber.hasRoom) ? 0 : Number.POSITIVE_INFINITY;
  }

  run(): void {
    const entry = this.entries[0] as Entry;
    if (this.ttlMs !== undefined) {
      if (this.moveOn(this, entry)) this.entries.shift();
      else entry.dueAt = this.world.now + 100;
      return;
    }
    this.#turn += 1;
    const free = this.subscribers.filter((subscriber) => subscriber.hasRoom);
    this.entries.shift();
    this.unacked += 1;
    free[this.#turn % free.length]?.deliver(entry);
  }
}
