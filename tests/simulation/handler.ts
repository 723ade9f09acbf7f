import { type ExactlyOnceContext, type HandlerContext, Reject, RetryAfter } from "warren/consumer";
import type { Tick } from "../../src/schema/tick";
import type { Transaction } from "../../src/store/consumer/transaction";
import type { ItemEvent } from "../support/item-events";
import type { Environment } from "./environment";
import { type QueueHistory, scheduled } from "./history";
import { item, noteOf } from "./item";
import { Killed, type Process } from "./process";

/** Fault that affects the events of an item. */
export type Illness = "error" | "reject" | "late" | "hang";

export const handlerTimeoutMs = 300;

/** The handler of one process, with its observations. */
export class Handler {
  readonly #running = new Set<number>();

  constructor(
    readonly environment: Environment,
    readonly process: Process,
    readonly queue: QueueHistory,
    readonly illnesses: ReadonlyMap<number, Illness>,
  ) {}

  /** Has its effects within the transaction of `exactlyOnce`. */
  async handleInTransaction(events: readonly ItemEvent[], context: ExactlyOnceContext): Promise<void> {
    this.#begin(events, context);
    try {
      for (const event of events) {
        // Before it fails, to show that the effect is rolled back.
        await context.tx.run("INSERT INTO effects VALUES (?)", event.id);
        if (this.queue.plan.acts) await this.#act(event, context);
        if (!this.process.act(`the handler of ${event.type} ${event.item.id}`)) throw new Killed();
        this.#fail(events, event, context);
      }
    } finally {
      this.#end(events);
    }
  }

  async handle(events: readonly ItemEvent[], context: HandlerContext): Promise<void> {
    this.#begin(events, context);
    context.signal.addEventListener("abort", () => this.#end(events), { once: true });
    try {
      for (const event of events) {
        await this.#work();
        if (this.queue.plan.acts) await this.#act(event, context);
        if (!this.process.act(`the handler of ${event.type} ${event.item.id}`)) return;
        if (this.illnesses.get(event.item.id) === "hang") {
          this.#failed(events);
          await Bun.sleep(handlerTimeoutMs * 3);
        }
        // The timeout has ended the handler: a further effect would be wrong.
        if (context.signal.aborted) return;
        this.#fail(events, event, context);
        this.#effect(event);
        this.process.act(`the end of the handler of ${event.type} ${event.item.id}`);
      }
    } finally {
      if (!context.signal.aborted) this.#end(events);
    }
  }

  /** Same as {@link handle}, for a handler that returns synchronously. */
  handleQuickly(events: readonly ItemEvent[], context: HandlerContext): void {
    this.#begin(events, context);
    try {
      for (const event of events) {
        if (!this.process.act(`the handler of ${event.type} ${event.item.id}`)) return;
        this.#fail(events, event, context);
        this.#effect(event);
        this.process.act(`the end of the handler of ${event.type} ${event.item.id}`);
      }
    } finally {
      this.#end(events);
    }
  }

  /** Changes an item that was created, and sets a timer of it. */
  async #act({ type, id: event, item: { id } }: ItemEvent, { change }: HandlerContext): Promise<void> {
    if (type !== "item.created") return;
    const found = await change.get(item, id);
    if (!found) return;
    // Another one for each time that it is handled, as in a forced replay.
    const tag = `${this.queue.plan.queue}:${event}:${found.version}`;
    const [key, after] = [`remind:${id}`, id * 100];
    await change.update(item, id, { description: noteOf.set(tag, key, after) });
    await change.later(item, id, "reminded", { after, key, data: { tag } });
  }

  /** @param tx the transaction of `exactlyOnce`. Undefined without it. */
  async handleTick({ id, schedule: { dueAt } }: Tick, tx: Transaction | undefined): Promise<void> {
    const { world, history } = this.environment;
    if (!this.process.isAlive) return;
    world.note(`${this.process.name} handles the event of ${dueAt}`);
    if (!history.find(id)) world.breach(`the event of the schedule for ${dueAt} was handled, and is in no log`);
    if (this.#running.has(scheduled)) world.breach(`the event of the schedule for ${dueAt} was handled beside another one`);
    this.#running.add(scheduled);
    try {
      if (tx) await tx.run("INSERT INTO effects VALUES (?)", id);
      else await this.#work();
      if (!this.process.act("the handler of the schedule")) throw new Killed();
      if (!tx) this.#effect({ id });
    } finally {
      this.#running.delete(scheduled);
    }
  }

  async #work(): Promise<void> {
    const { chance } = this.environment.world;
    if (chance.chance(0.5)) await new Promise(setImmediate);
    else await Bun.sleep(1 + chance.below(20));
  }

  #effect(event: Pick<ItemEvent, "id">): void {
    if (!this.process.isAlive) return;
    const { effects, order } = this.queue;
    effects.set(event.id, (effects.get(event.id) ?? 0) + 1);
    order.push(event.id);
  }

  #begin(events: readonly ItemEvent[], { attempt }: HandlerContext): void {
    const { world, history, plan } = this.environment;
    if (!this.process.isAlive) return;
    const name = `${this.queue.plan.queue}: ${events.map((event) => `${event.type} ${event.item.id} v${event.item.version}`).join(", ")}`;
    world.note(`${this.process.name} handles ${name}, attempt ${attempt}`);
    for (const event of events) {
      if (!history.find(event.id)) world.breach(`${name} was handled, and is in no log`);
      if (!this.queue.wants(event.type)) world.breach(`${name} was handled, and is not wanted`);
      if (!this.queue.plan.batches && this.#running.has(event.item.id)) world.breach(`${name} was handled beside another of its item`);
      this.#running.add(event.item.id);
    }
    const failures = Math.max(...events.map(({ id }) => this.queue.failures.get(id) ?? 0));
    // Failures caused by a full disk are not recorded here.
    if (attempt > failures + 1 && !plan.faults.has("disk full"))
      world.breach(`${name} is told attempt ${attempt} after ${failures} failures`);
    if (attempt > this.queue.plan.attempts) world.breach(`${name} is told attempt ${attempt} of ${this.queue.plan.attempts}`);
  }

  #end(events: readonly ItemEvent[]): void {
    for (const event of events) this.#running.delete(event.item.id);
  }

  #fail(events: readonly ItemEvent[], { item }: ItemEvent, { attempt }: HandlerContext): void {
    const illness = this.illnesses.get(item.id);
    if (illness === undefined || (illness === "late" && attempt > 1)) return;
    this.#failed(events);
    if (illness === "reject") throw new Reject("unwanted");
    if (illness === "late") throw new RetryAfter(1);
    throw new Error("out of order");
  }

  /** A batch fails as a whole. */
  #failed(events: readonly ItemEvent[]): void {
    if (!this.process.isAlive) return;
    for (const { id, item } of events) {
      this.queue.failures.set(id, (this.queue.failures.get(id) ?? 0) + 1);
      this.queue.failed.add(item.id);
    }
  }
}
