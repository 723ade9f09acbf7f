import type { Log } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import type { Span } from "../observe/tracing";
import type { Transaction } from "../store/consumer/transaction";
import type { Changes } from "../store/transaction/changes";
import type { Consumer } from "./consumer-options";
import type { ExactlyOnceContext } from "./context";
import type { Task } from "./delivery";
import type { Again, ChangingRun } from "./handler-changes";

/** Creates on first access what few handlers use, such as the signal. */
export class HandlerCall implements ExactlyOnceContext {
  readonly span: Span;
  /** What the handler changes. Undefined as long as it changes nothing. */
  changing: ChangingRun | undefined;
  #abort: AbortController | undefined;
  #reason: Error | undefined;

  constructor(
    readonly consumer: Consumer,
    readonly tasks: readonly Task[],
    readonly transaction?: Transaction,
    /** What earlier runs have found. */
    readonly again?: Again,
  ) {
    this.span = consumer.tracing.process(tasks);
    for (const task of tasks) task.span = this.span;
  }

  get queue(): string {
    return this.consumer.queue;
  }
  get attempt(): number {
    return 1 + Math.max(...this.tasks.map((task) => task.delivery.failures));
  }
  get replay(): boolean {
    return this.tasks.some((task) => task.delivery.replay !== "no");
  }
  get log(): Log {
    const ids = this.tasks.map((task) => task.event.id);
    return this.consumer.log.child({ ...(ids.length === 1 ? { event: ids[0] } : { events: ids }), ...traceField(this.traceparent) });
  }
  get traceparent(): string | undefined {
    if (this.span.traceparent !== null) return this.span.traceparent;
    return this.tasks.length === 1 ? this.tasks[0]?.delivery.origin.traceparent : undefined;
  }
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    // The handler may read the signal for the first time after the timeout.
    if (this.#reason) this.#abort.abort(this.#reason);
    return this.#abort.signal;
  }
  get tx(): Transaction {
    if (!this.transaction) throw new TypeError("Only a consumer with exactlyOnce has a transaction.");
    return this.transaction;
  }
  get change(): Changes {
    const [task, ...more] = this.tasks;
    if (!task || more.length > 0)
      throw new TypeError("A batch of several events cannot change resources: use `handle`, whose changes are those of one event.");
    this.changing ??= this.consumer.changes.begin(task, this.traceparent, this.again);
    return this.changing.changes;
  }
  abort(reason: Error): void {
    this.#reason = reason;
    this.#abort?.abort(reason);
  }
}
