import { LaneLost } from "../store/consumer/lanes";
import type { ConsumerData, ConsumerStore } from "../store/consumer/store";
import { StoreAway, StoreUnavailable } from "../store/errors";
import { isConflict, whenUnlocked } from "../store/open";
import { NotCommitted } from "../store/transaction/engine";
import { steadyNow } from "../timing/clock";
import type { Consumer } from "./consumer-options";
import type { Delivery, Task } from "./delivery";
import { ExactlyOnceGroup } from "./exactly-once-group";
import { type Again, RunAgain } from "./handler-changes";
import { JoinedChanges, PartFailed } from "./joined-changes";
import type { Result } from "./outcome";
import { unavailablePauseMs, unavailableText, untilMade } from "./run-again";

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
      return await handleUntilMade(around, tasks);
    } catch (error) {
      if (error instanceof LaneLost) return [];
      if (error instanceof PartFailed) {
        // First those before it, then it alone.
        tasks = tasks.slice(0, Math.max(1, tasks.indexOf(error.task)));
        continue;
      }
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

/** Handles an event alone until what it changes is committed with its transaction. Several events are handled once. */
async function handleUntilMade(around: Surroundings, tasks: readonly Task[]): Promise<Result[]> {
  const [task, ...more] = tasks as readonly [Task];
  if (more.length > 0) return handleTogether(around, tasks);
  const run = async (again?: Again) => {
    try {
      const [result] = await handleTogether(around, tasks, again);
      return result ?? duplicate;
    } catch (error) {
      if (error instanceof PartFailed) return error.result;
      throw error;
    }
  };
  const result = await untilMade(around.consumer, task, around.isStopping, await run(), run);
  return result ? [result] : [];
}

/** @throws {PartFailed} if what one of the events changes cannot be committed with the transaction. */
function handleTogether(
  { consumer, store, beforeCommit, mayGoOn }: Surroundings,
  tasks: readonly Task[],
  again?: Again,
): Promise<Result[]> {
  return whenUnlocked(async () => {
    const own = await store();
    let joined: JoinedChanges | undefined;
    try {
      const { results, committed } = await own.together(async (data) => {
        joined = joinedIn(data, consumer);
        const results = await new ExactlyOnceGroup({ consumer, data, joined, again }, steadyNow()).handle(tasks, mayGoOn);
        const done = tasks.filter((_, index) => results[index] && results[index].kind !== "failed");
        const committed = await beforeCommit(
          data,
          done.map(({ delivery }) => delivery),
        );
        if (data.end) await joined?.endAt(data.end);
        return { results, committed };
      });
      committed();
      consumer.changes.trouble.end();
      return results;
    } catch (error) {
      throw error instanceof NotCommitted ? (joined?.failure(error) ?? error) : error;
    }
  });
}

/** Returns what collects the changes of handlers, if one transaction can commit them with what the consumer keeps. */
function joinedIn({ end }: ConsumerData, { changes: { engine } }: Consumer): JoinedChanges | undefined {
  return end && end.place === engine.endings?.place ? new JoinedChanges(engine.endings) : undefined;
}

/** Waits before what handlers change is committed again. Resolves with false if the consumer stops, or the events are gone. */
async function aWhile({ consumer, isStopping }: Surroundings, tasks: readonly Task[], { why }: RunAgain): Promise<boolean> {
  const error = why.kind === "unavailable" ? why.error.message : undefined;
  consumer.changes.trouble.begin(error ?? unavailableText);
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
