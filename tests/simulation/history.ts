import type { Files } from "./files";
import type { QueuePlan } from "./plan";
import type { World } from "./world";

export interface LoggedEvent {
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly item: number;
  readonly version: number;
}

/** What the handlers of one queue have done, and what became of its events. */
export class QueueHistory {
  readonly effects = new Map<string, number>();
  /** Events in the order in which their effects came. */
  readonly order: string[] = [];
  readonly failures = new Map<string, number>();
  /** The highest number of attempts on a copy that is safe where it waits or rests. */
  readonly parked = new Map<string, number>();
  /** Items with an event that has failed, for whatever reason. */
  readonly failed = new Set<number>();
  /** Deaths and lost connections of its processes. */
  interruptions = 0;
  replays = 0;
  forced = 0;

  constructor(readonly plan: QueuePlan) {}

  wants(type: string): boolean {
    return !this.plan.events || (this.plan.events as readonly string[]).includes(type);
  }
}

/** What clients were told, what the log has, and what is known to be safe at the broker. */
export class History {
  /** In the order of their positions, which begin with 1. */
  readonly log: LoggedEvent[] = [];
  readonly #byId = new Map<string, LoggedEvent>();
  /** Changes that were answered with success: `item.created 1 1`. */
  readonly acknowledged: string[] = [];
  readonly relayed = new Set<string>();
  readonly queues: ReadonlyMap<string, QueueHistory>;
  /** Deaths and lost connections of the API. */
  apiInterruptions = 0;
  #relayedUpTo = 0;

  constructor(
    readonly world: World,
    readonly files: Files,
    plans: readonly QueuePlan[],
  ) {
    this.queues = new Map(plans.map((plan) => [plan.queue, new QueueHistory(plan)]));
  }

  get end(): number {
    return this.log.length;
  }

  /** Adds what was committed since the last time. */
  read(): void {
    for (const { position, id, type, subject, body } of this.files.log(this.end)) {
      if (position !== this.end + 1) this.world.breach(`the log has position ${position} after ${this.end}`);
      const { version } = (JSON.parse(body) as { item: { version: number } }).item;
      const event = { position, id, type, item: subject, version };
      this.log.push(event);
      this.#byId.set(id, event);
      this.world.note(`committed: ${nameOf(event)}`);
    }
  }

  /** The event with this id; undefined: it was never committed. */
  find(id: string): LoggedEvent | undefined {
    if (!this.#byId.has(id)) this.read();
    return this.#byId.get(id);
  }

  /** Looks at how far the relay says that it has come. */
  checkRelayed(position: number): void {
    if (position > this.end) this.read();
    for (; this.#relayedUpTo < Math.min(position, this.end); this.#relayedUpTo += 1) {
      const event = this.log[this.#relayedUpTo] as LoggedEvent;
      if (!this.relayed.has(event.id))
        this.world.breach(`the relay's position ${position} is ahead of ${nameOf(event)}, which is in no queue`);
    }
  }
}

/** `#3 item.updated 1 v2`: position, type, item, version. */
export function nameOf({ position, type, item, version }: LoggedEvent): string {
  return `#${position} ${type} ${item} v${version}`;
}
