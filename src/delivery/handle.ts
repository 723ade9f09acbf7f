import type { Log } from "../observe/logging";
import { traceField } from "../observe/traceparent";
import type { Span } from "../observe/tracing";
import type { ConsumerStore, Transaction } from "../store/consumer/store";
import { whenUnlocked } from "../store/open";
import type { Consumer } from "./consumer-options";
import type { ExactlyOnceContext } from "./context";
import type { Task } from "./delivery";
import { type Result, spanTroubleOf } from "./outcome";

/** Error of an attempt whose handler exceeds its timeout, and the abort reason of its signal. */
export class HandlerTimeout extends Error {
  override readonly name = "HandlerTimeout";
  constructor(timeoutMs: number) {
    super(`The handler took longer than ${timeoutMs} ms`);
  }
}

const handled: Result = { kind: "handled" };
const duplicate: Result = { kind: "duplicate" };

/** Calls the handler with one event. Never rejects: an error is part of the result. */
export function handleOne(consumer: Consumer, task: Task): Promise<Result> {
  return guarded((context) => consumer.handle(task.event, context), consumer, [task]);
}

/** Calls the handler with a batch. If that fails, calls it with each event alone, so that a bad event fails only itself. */
export async function handleBatch(consumer: Consumer, tasks: readonly Task[]): Promise<Result[]> {
  const call = (part: readonly Task[]) =>
    guarded(
      (context) =>
        consumer.handleBatch?.(
          part.map((task) => task.event),
          context,
        ),
      consumer,
      part,
    );
  const result = await call(tasks);
  if (result.kind !== "failed" || tasks.length === 1) return tasks.map(() => result);
  endSplit(tasks, result.error);
  const results: Result[] = [];
  for (const task of tasks) results.push(await call([task]));
  return results;
}

/**
 * Handles events in order in one transaction, each with its row in the inbox. A failed event leaves no changes behind.
 * Waits while another process has a lock on the file. Never rejects: an error is part of the result.
 */
export async function handleExactlyOnce(consumer: Consumer, store: ConsumerStore, tasks: readonly Task[], now: number): Promise<Result[]> {
  try {
    return await whenUnlocked(() => handleTogether(consumer, store, tasks, now));
  } catch (error) {
    // The transaction itself failed: the disk is full, or another process held the lock for too long.
    return tasks.map(() => ({ kind: "failed", error }));
  }
}

/** The transaction ends before this returns, so the handler must be synchronous. */
function handleTogether(consumer: Consumer, store: ConsumerStore, tasks: readonly Task[], now: number): Result[] {
  const one = (part: readonly Task[]): Result => {
    try {
      store.together(() => {
        const context = new Context(consumer, part, store.transaction);
        const returned = context.span.run(() =>
          consumer.handleBatch
            ? consumer.handleBatch(
                part.map((task) => task.event),
                context,
              )
            : consumer.handle((part[0] as Task).event, context),
        );
        if (isPromise(returned)) {
          returned.then(undefined, () => {});
          throw new TypeError("With exactlyOnce the handler must not be async: its transaction ends when it returns.");
        }
        for (const { event } of part) store.inbox.add(event.id, now);
      });
      return handled;
    } catch (error) {
      return { kind: "failed", error };
    }
  };
  return store.together(() => {
    const isDone = ({ event, delivery }: Task) => delivery.replay !== "forced" && store.inbox.has(event.id);
    if (!consumer.handleBatch) return tasks.map((task) => (isDone(task) ? duplicate : one([task])));
    // An event may be in one batch twice. The second fails with the first, or is a duplicate of it.
    const firsts = new Map(tasks.filter((task) => !isDone(task)).map((task) => [task.event.id, task]));
    const fresh = [...firsts.values()];
    const results = new Map(batchResults(fresh, one).map((result, index) => [fresh[index], result]));
    return tasks.map((task) => {
      const first = firsts.get(task.event.id);
      const result = results.get(first);
      return !result || (task !== first && result.kind === "handled") ? duplicate : result;
    });
  });
}

function batchResults(tasks: readonly Task[], call: (part: readonly Task[]) => Result): Result[] {
  if (tasks.length === 0) return [];
  const result = call(tasks);
  if (result.kind !== "failed" || tasks.length === 1) return tasks.map(() => result);
  endSplit(tasks, result.error);
  return tasks.map((task) => call([task]));
}

/** Ends the span of a failed batch. Each of its events gets an attempt of its own next. */
function endSplit([first]: readonly Task[], error: unknown): void {
  first?.span?.end(spanTroubleOf(error), { "warren.outcome": "split" });
}

function guarded(call: (context: ExactlyOnceContext) => unknown, consumer: Consumer, tasks: readonly Task[]): Promise<Result> {
  const context = new Context(consumer, tasks);
  try {
    const returned = context.span.run(() => call(context));
    if (!isPromise(returned)) return Promise.resolve(handled);
    return withTimeout(returned, context, consumer.handlerTimeoutMs);
  } catch (error) {
    return Promise.resolve({ kind: "failed", error });
  }
}

function withTimeout(work: PromiseLike<unknown>, context: Context, timeoutMs: number): Promise<Result> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      const error = new HandlerTimeout(timeoutMs);
      context.abort(error);
      resolve({ kind: "failed", error });
    }, timeoutMs);
    // A thenable may throw when `then` is called, or when it is read a second time.
    (async () => await work)().then(
      () => {
        clearTimeout(timer);
        resolve(handled);
      },
      (error: unknown) => {
        clearTimeout(timer);
        resolve({ kind: "failed", error });
      },
    );
  });
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Creates on first access what few handlers use, such as the signal. */
class Context implements ExactlyOnceContext {
  readonly span: Span;
  #abort: AbortController | undefined;
  #reason: Error | undefined;

  constructor(
    readonly consumer: Consumer,
    readonly tasks: readonly Task[],
    readonly transaction?: Transaction,
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
  abort(reason: Error): void {
    this.#reason = reason;
    this.#abort?.abort(reason);
  }
}
