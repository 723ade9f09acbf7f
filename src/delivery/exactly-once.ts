import { LaneLost } from "../store/consumer/lanes";
import type { ConsumerData, ConsumerStore } from "../store/consumer/store";
import { StoreAway, StoreUnavailable } from "../store/errors";
import { isConflict, whenUnlocked } from "../store/open";
import { steadyNow } from "../timing/clock";
import type { Consumer } from "./consumer-options";
import type { Delivery, Task } from "./delivery";
import { callHandler, endSplit } from "./handle";
import { type Again, RunAgain } from "./handler-changes";
import { HandlerTransaction } from "./handler-transaction";
import type { Result } from "./outcome";
import { unavailablePauseMs, unavailableText, untilMade } from "./run-again";

const handled: Result = { kind: "handled" };
const duplicate: Result = { kind: "duplicate" };

/** Takes part in a transaction of `exactlyOnce` events. Resolves with a function to call after the commit. */
export type BeforeCommit = (own: ConsumerData, deliveries: readonly Delivery[]) => Promise<() => void>;

interface Surroundings {
  readonly consumer: Consumer;
  /** Opens the consumer's store. */
  readonly store: () => Promise<ConsumerStore>;
  readonly beforeCommit: BeforeCommit;
  /** Returns whether to handle another event before the commit. It is asked after each event. */
  readonly mayGoOn: () => boolean;
  readonly isStopping: () => boolean;
}

/** How often an event is handled again alone whose transaction fails although the database can be reached. */
const mostTries = 5;
/** Interval to check whether the database can be reached, in milliseconds. */
const tryEveryMs = 250;

/**
 * Handles events in order in one transaction, each with its row in the inbox. A failed event leaves no changes behind.
 * Waits while another process has a lock on the file, or while the database cannot be reached. Never rejects: an error is part of the
 * result.
 *
 * @returns the results of the first events: as many as were handled. None if another process has taken some of them, or at a stop.
 */
export async function handleExactlyOnce(around: Surroundings, tasks: readonly Task[]): Promise<Result[]> {
  for (let tries = 1; ; ) {
    try {
      return await handleTogether(around, tasks);
    } catch (error) {
      if (error instanceof LaneLost) return [];
      if (error instanceof RunAgain) {
        if (!(await aWhile(around, tasks, error))) return [];
        continue;
      }
      const isPassing = isConflict(error) || error instanceof StoreUnavailable;
      // The transaction itself failed: another process held the lock for too long, for example.
      if (!isPassing || (tasks.length === 1 && tries >= mostTries)) return tasks.map(() => ({ kind: "failed", error }));
      // No event is the cause of that.
      if (!(error instanceof StoreAway)) tries += 1;
      if (error instanceof StoreUnavailable && !(await untilAvailable(around, tasks, error))) return [];
    }
    // Alone, since another event may be the cause: one that ends the connection, or that locks rows in another order.
    tasks = tasks.slice(0, 1);
  }
}

function handleTogether(around: Surroundings, tasks: readonly Task[]): Promise<Result[]> {
  return whenUnlocked(async () => {
    const store = await around.store();
    const { results, committed } = await store.together((own) => handleGroup(around, own, tasks));
    committed();
    return results;
  });
}

/** Waits before what handlers change is committed again. Resolves with false if the consumer stops, or the events are gone. */
async function aWhile({ consumer, isStopping }: Surroundings, tasks: readonly Task[], { why }: RunAgain): Promise<boolean> {
  const error = why.kind === "unavailable" ? why.error.message : undefined;
  consumer.log.warn({ queue: consumer.queue, error }, unavailableText);
  await Bun.sleep(unavailablePauseMs);
  return !isStopping() && tasks.some(({ delivery }) => !delivery.gone);
}

/** Waits until the database can be reached. Resolves with false if the consumer stops, or the events are gone, before that. */
async function untilAvailable({ consumer, store, isStopping }: Surroundings, tasks: readonly Task[], error: Error): Promise<boolean> {
  const { queue, log, storeTrouble } = consumer;
  if (storeTrouble.begin(error.message))
    log.warn({ queue, error: error.message }, "Cannot write what events have done; waiting for the database");
  if (error instanceof StoreAway) await Bun.sleep(tryEveryMs);
  while (!isStopping() && tasks.some(({ delivery }) => !delivery.gone)) {
    try {
      await (await store()).together(async ({ inbox }) => {
        const probe = [crypto.randomUUID()];
        await inbox.claim(probe, 0);
        await inbox.release(probe);
      });
      storeTrouble.end();
      return true;
    } catch {
      await Bun.sleep(tryEveryMs);
    }
  }
  return false;
}

async function handleGroup({ consumer, beforeCommit, mayGoOn }: Surroundings, own: ConsumerData, tasks: readonly Task[]) {
  const results = await new Group(consumer, own, steadyNow()).handle(tasks, mayGoOn);
  const done = tasks.filter((_, index) => results[index] && results[index].kind !== "failed");
  const committed = await beforeCommit(
    own,
    done.map(({ delivery }) => delivery),
  );
  return { results, committed };
}

/** Events that are handled in one transaction. */
class Group {
  /** Ids of events that are not handled yet. */
  #claimed = new Set<string>();

  constructor(
    readonly consumer: Consumer,
    readonly data: ConsumerData,
    readonly now: number,
  ) {}

  async handle(tasks: readonly Task[], mayGoOn: () => boolean): Promise<Result[]> {
    const { inbox } = this.data;
    const unforced = tasks.filter((task) => !isForced(task));
    if (unforced.length > 0) this.#claimed = await inbox.claim(idsOf(unforced), this.now);
    const results = this.consumer.handleBatch ? await this.#handleBatch(tasks) : await this.#handleEach(tasks, mayGoOn);
    if (this.#claimed.size > 0) await inbox.release([...this.#claimed]);
    const forced = tasks.filter((task, index) => isForced(task) && results[index]?.kind === "handled");
    if (forced.length > 0) await inbox.add(idsOf(forced), this.now);
    return results;
  }

  async #handleEach(tasks: readonly Task[], mayGoOn: () => boolean): Promise<Result[]> {
    const results: Result[] = [];
    for (const task of tasks) {
      results.push(this.#isDone(task) ? duplicate : await this.#handlePart([task]));
      if (!mayGoOn()) break;
    }
    return results;
  }

  /** An event may be in one batch twice. One of the two fails with the other, or is a duplicate of it. */
  async #handleBatch(tasks: readonly Task[]): Promise<Result[]> {
    const chosen = new Map(tasks.filter((task) => !this.#isDone(task)).map((task) => [task.event.id, task]));
    const fresh = [...chosen.values()];
    const results = new Map((await this.#handleFresh(fresh)).map((result, index) => [fresh[index], result]));
    return tasks.map((task) => {
      const own = chosen.get(task.event.id);
      const result = results.get(own);
      return !result || (task !== own && result.kind === "handled") ? duplicate : result;
    });
  }

  async #handleFresh(tasks: readonly Task[]): Promise<Result[]> {
    if (tasks.length === 0) return [];
    const result = await this.#handlePart(tasks);
    if (result.kind !== "failed" || tasks.length === 1) return tasks.map(() => result);
    endSplit(tasks, result.error);
    const results: Result[] = [];
    for (const task of tasks) results.push(await this.#handlePart([task]));
    return results;
  }

  #isDone(task: Task): boolean {
    return !isForced(task) && !this.#claimed.has(task.event.id);
  }

  /** Handles events as a part of the transaction, which is rolled back if they fail. */
  async #handlePart(part: readonly Task[]): Promise<Result> {
    const [first] = part as readonly [Task];
    const result = await this.#runPart(part);
    const made = await untilMade(
      this.consumer,
      first,
      () => false,
      result,
      (again) => this.#runPart(part, again),
    );
    return made ?? result;
  }

  /** @throws {RunAgain} if what the handler changes cannot be committed now. The transaction should not wait for it. */
  async #runPart(part: readonly Task[], again?: Again): Promise<Result> {
    try {
      await this.data.together(async ({ transaction }) => {
        const tx = new HandlerTransaction(transaction, "The handler");
        const result = await callHandler(this.consumer, part, { tx, ...(again && { again }) });
        if (result.kind === "failed") {
          tx.end(result.error);
          throw result.error;
        }
        tx.finish();
      });
    } catch (error) {
      // Not a failure of the event: the transaction is made again.
      if (isConflict(error) || error instanceof StoreAway || isUnavailable(error)) throw error;
      return { kind: "failed", error };
    }
    for (const { event } of part) this.#claimed.delete(event.id);
    return handled;
  }
}

/** Returns whether what a handler changes could not be committed now. */
function isUnavailable(error: unknown): boolean {
  return error instanceof RunAgain && error.why.kind === "unavailable";
}

function isForced({ delivery }: Task): boolean {
  return delivery.replay === "forced";
}

function idsOf(tasks: readonly Task[]): string[] {
  return tasks.map(({ event }) => event.id);
}
