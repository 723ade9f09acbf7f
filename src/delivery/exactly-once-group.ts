import type { ConsumerData } from "../store/consumer/store";
import { StoreAway } from "../store/errors";
import { isConflict } from "../store/open";
import type { Consumer } from "./consumer-options";
import type { Task } from "./delivery";
import { callHandler, endSplit } from "./handle";
import { type Again, RunAgain } from "./handler-changes";
import { HandlerTransaction } from "./handler-transaction";
import { type JoinedChanges, PartFailed } from "./joined-changes";
import type { Result } from "./outcome";
import { isRunAgain, untilMade } from "./run-again";

const handled: Result = { kind: "handled" };
const duplicate: Result = { kind: "duplicate" };

interface Means {
  readonly consumer: Consumer;
  /** The data of the consumer, as the transaction sees it. */
  readonly data: ConsumerData;
  /** Gets what the handlers change. Undefined: each commits it before the transaction. */
  readonly joined: JoinedChanges | undefined;
  /** The findings of earlier runs of the event, which is the only one then. */
  readonly again: Again | undefined;
}

/** Events that are handled in one transaction. */
export class ExactlyOnceGroup {
  /** Ids of events that are not handled yet. */
  #claimed = new Set<string>();

  /** @param now the current time by {@link steadyNow}. */
  constructor(
    readonly means: Means,
    readonly now: number,
  ) {}

  /**
   * Handles events in order. Resolves with the results of the first of them.
   *
   * @throws {RunAgain} if what a handler changes cannot be committed now. The transaction should not wait for it.
   * @throws {PartFailed} if a handler has to run again, after this transaction.
   */
  async handle(tasks: readonly Task[], mayGoOn: () => boolean): Promise<Result[]> {
    const { inbox } = this.means.data;
    const unforced = tasks.filter((task) => !isForced(task));
    if (unforced.length > 0) this.#claimed = await inbox.claim(idsOf(unforced), this.now);
    const results = this.means.consumer.handleBatch ? await this.#handleBatch(tasks) : await this.#handleEach(tasks, mayGoOn);
    if (this.#claimed.size > 0) await inbox.release([...this.#claimed]);
    const forced = tasks.filter((task, index) => isForced(task) && results[index]?.kind === "handled");
    if (forced.length > 0) await inbox.add(idsOf(forced), this.now);
    return results;
  }

  async #handleEach(tasks: readonly Task[], mayGoOn: () => boolean): Promise<Result[]> {
    const results: Result[] = [];
    for (const task of tasks) {
      const result = this.#isDone(task) ? duplicate : await this.#handlePart([task]);
      if (!result) break;
      results.push(result);
      if (!mayGoOn()) break;
    }
    return results;
  }

  /** An event may be in one batch twice. One of the two fails with the other, or is a duplicate of it. */
  async #handleBatch(tasks: readonly Task[]): Promise<Result[]> {
    const chosen = new Map(tasks.filter((task) => !this.#isDone(task)).map((task) => [task.event.id, task]));
    const fresh = [...chosen.values()];
    const results = new Map((await this.#handleFresh(fresh)).map((result, index) => [fresh[index], result]));
    const end = fresh.length === results.size ? tasks.length : tasks.indexOf(fresh[results.size] as Task);
    return tasks.slice(0, end).map((task) => {
      const own = chosen.get(task.event.id);
      const result = results.get(own);
      return !result || (task !== own && result.kind === "handled") ? duplicate : result;
    });
  }

  async #handleFresh(tasks: readonly Task[]): Promise<Result[]> {
    if (tasks.length === 0) return [];
    const result = await this.#handlePart(tasks);
    if (!result) return [];
    if (result.kind !== "failed" || tasks.length === 1) return tasks.map(() => result);
    endSplit(tasks, result.error);
    const results: Result[] = [];
    for (const task of tasks) {
      const own = await this.#handlePart([task]);
      if (!own) break;
      results.push(own);
    }
    return results;
  }

  #isDone(task: Task): boolean {
    return !isForced(task) && !this.#claimed.has(task.event.id);
  }

  /**
   * Handles events as a part of the transaction, which is rolled back if they fail. Resolves with undefined if the transaction has to be
   * committed before them.
   */
  async #handlePart(part: readonly Task[]): Promise<Result | undefined> {
    const [first] = part as readonly [Task];
    const { consumer, joined, again } = this.means;
    const result = await this.#runPart(part, again);
    if (joined) {
      if (!isRunAgain(result)) return result;
      if (result.error.why.kind === "too early") return undefined;
      throw new PartFailed(first, result);
    }
    const never = () => false;
    return (await untilMade(consumer, first, never, result, (found) => this.#runPart(part, found))) ?? result;
  }

  async #runPart(part: readonly Task[], again?: Again): Promise<Result> {
    const { consumer, data, joined } = this.means;
    const forget = joined?.mark();
    try {
      await data.together(async ({ transaction }) => {
        const tx = new HandlerTransaction(transaction, "The handler");
        const result = await callHandler(consumer, part, { tx, again, joined });
        if (result.kind === "failed") {
          tx.end(result.error);
          throw result.error;
        }
      });
    } catch (error) {
      forget?.();
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
