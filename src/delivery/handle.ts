import type { Event } from "../schema/event";
import type { Deadlines } from "../timing/deadlines";
import type { Consumer } from "./consumer-options";
import type { Task } from "./delivery";
import { HandlerCall } from "./handler-call";
import type { Again } from "./handler-changes";
import type { HandlerTransaction } from "./handler-transaction";
import type { JoinedChanges } from "./joined-changes";
import { type Result, spanTroubleOf } from "./outcome";
import { untilMade } from "./run-again";

/** Error of an attempt whose handler exceeds its timeout, and the abort reason of its signal. */
export class HandlerTimeout extends Error {
  override readonly name = "HandlerTimeout";
  constructor(timeoutMs: number) {
    super(`The handler took longer than ${timeoutMs} ms`);
  }
}

const handled: Result = { kind: "handled" };

/**
 * Calls the handler with a batch. If that fails, calls it with each event alone, so that a bad event fails only itself. Resolves with the
 * results of the first events, as many as were handled before a stop.
 */
export async function handleBatch(consumer: Consumer, tasks: readonly Task[], isStopping: () => boolean): Promise<Result[]> {
  const [first] = tasks as readonly [Task];
  if (tasks.length === 1) return handleOne(consumer, first, isStopping);
  const result = await callHandler(consumer, tasks);
  if (result.kind !== "failed") return tasks.map(() => result);
  endSplit(tasks, result.error);
  const results: Result[] = [];
  for (const task of tasks) {
    const [own] = await handleOne(consumer, task, isStopping);
    if (!own) break;
    results.push(own);
  }
  return results;
}

async function handleOne(consumer: Consumer, task: Task, isStopping: () => boolean): Promise<Result[]> {
  const first = await callHandler(consumer, [task]);
  const result = await untilMade(consumer, task, isStopping, first, (again) => callHandler(consumer, [task], { again }));
  return result ? [result] : [];
}

/** Ends the span of a failed batch. Each of its events gets an attempt of its own next. */
export function endSplit([first]: readonly Task[], error: unknown): void {
  first?.span?.end(spanTroubleOf(error), { "warren.outcome": "split" });
}

/** The things that a handler gets besides its events. */
interface Given {
  readonly tx?: HandlerTransaction;
  readonly again?: Again | undefined;
  /** Gets what the handler changes, to commit it. Default: it is committed at once. */
  readonly joined?: JoinedChanges | undefined;
}

/** Calls the handler with one event, or with a batch, and commits what it changes. Never rejects: an error is part of the result. */
export async function callHandler(consumer: Consumer, tasks: readonly Task[], { tx, again, joined }: Given = {}): Promise<Result> {
  const context = new HandlerCall(consumer, tasks, tx, again);
  const result = finished(await run(consumer, tasks, context), tx);
  return context.changing ? context.changing.settle(result, joined) : result;
}

/** Ends the transaction of a handler. That fails if one of its calls was not awaited. */
function finished(result: Result, tx: HandlerTransaction | undefined): Result {
  if (!tx || result.kind === "failed") return result;
  try {
    tx.finish();
    return result;
  } catch (error) {
    return { kind: "failed", error };
  }
}

function run(consumer: Consumer, tasks: readonly Task[], context: HandlerCall): Promise<Result> {
  const events = tasks.map(({ event }) => event);
  const call = () => (consumer.handleBatch ? consumer.handleBatch(events, context) : consumer.handle(events[0] as Event, context));
  try {
    const returned = context.span.run(call);
    if (!isPromise(returned)) return Promise.resolve(handled);
    return withTimeout(returned, context, consumer.timeouts);
  } catch (error) {
    return Promise.resolve({ kind: "failed", error });
  }
}

function withTimeout(work: PromiseLike<unknown>, context: HandlerCall, timeouts: Deadlines): Promise<Result> {
  return new Promise((resolve) => {
    const end = timeouts.start(() => {
      const error = new HandlerTimeout(timeouts.ms);
      context.abort(error);
      resolve({ kind: "failed", error });
    });
    // A thenable may throw when `then` is called, or when it is read a second time.
    const promise = work instanceof Promise ? work : (async () => await work)();
    promise.then(
      () => {
        end();
        resolve(handled);
      },
      (error: unknown) => {
        end();
        resolve({ kind: "failed", error });
      },
    );
  });
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
