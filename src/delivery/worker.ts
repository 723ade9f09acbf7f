import { messageOf } from "../observe/logging";
import { parseEvent } from "../schema/event";
import type { ConsumerStore } from "../store/consumer/store";
import { whenUnlocked } from "../store/open";
import { now, steadyNow, wakeAt, wakeIn } from "../timing/clock";
import { TokenBucket } from "../timing/token-bucket";
import { attemptNote } from "./attempt-note";
import { Breaker, type BreakerState } from "./breaker";
import type { Consumer } from "./consumer-options";
import { type Delivery, orderKeyOf, type Task } from "./delivery";
import { type BeforeCommit, handleExactlyOnce } from "./exactly-once";
import { handleBatch } from "./handle";
import { decideOutcome, isFailure, type Outcome, type Result } from "./outcome";
import { report } from "./report";
import { settle } from "./settle";
import { isUnwanted } from "./tick-notes";
import { WorkerTally } from "./worker-tally";

/** Maximum number of `exactlyOnce` events per commit, and the time after which a commit takes no more of them, in milliseconds. */
const [maxGroup, maxGroupMs] = [128, 100];

type Pending = Task & { readonly arrivedAt: number };

/**
 * Takes deliveries from a transport, and settles each with one outcome. Handles up to `concurrency` at the same time, and events
 * of one item one after another. A delivery on which a process may have died is handled alone, to protect the others.
 */
export class Worker {
  readonly tally = new WorkerTally();
  readonly breaker: Breaker;
  /** Called when the breaker opens. */
  onPause: () => void = () => {};
  /** Called in the transaction of `exactlyOnce` events, after they were handled. If it rejects, nothing is committed. */
  beforeCommit: BeforeCommit = async () => () => {};
  /** Returns whether nothing is in progress because the breaker is open. */
  readonly isPaused = (): boolean => this.breaker.state === "open" && this.#running + this.#settling === 0;
  readonly #bucket: TokenBucket | undefined;
  readonly #groups: { size: number; waitMs: number } | undefined;
  #pending: Pending[] = [];
  readonly #busy = new Set<string>();
  #running = 0;
  #alone = false;
  #settling = 0;
  #stopping = false;
  #soon = false;
  #idle: PromiseWithResolvers<void> | undefined;
  #cancelPump = () => {};

  /** @param store opens the consumer's own store when it is needed. */
  constructor(
    readonly consumer: Consumer,
    readonly store: () => Promise<ConsumerStore>,
  ) {
    this.breaker = new Breaker(consumer.breaker, (state) => this.#onBreaker(state));
    if (consumer.ratePerSecond !== null) this.#bucket = new TokenBucket(consumer.ratePerSecond, performance.now());
    if (consumer.handleBatch) this.#groups = consumer.batch;
    else if (consumer.exactlyOnce) this.#groups = { size: maxGroup, waitMs: 0 };
  }

  /** Takes a delivery. Never throws. */
  take(delivery: Delivery): void {
    const { catalogue, versions } = this.consumer;
    const parsed = parseEvent(delivery.body, catalogue, { versions, encoding: delivery.encoding });
    if (!parsed.ok) void this.#settle({ delivery }, { kind: "unreadable", reason: parsed.reason, detail: parsed.detail });
    else if (isUnwanted(this.consumer, parsed.event)) void this.#settle({ delivery, event: parsed.event }, { kind: "skipped" });
    else {
      this.#pending.push({ delivery, event: parsed.event, key: orderKeyOf(parsed), arrivedAt: performance.now() });
      // Deliveries that a transport passes on in one tick can share a group.
      if (this.#soon) return;
      this.#soon = this.consumer.exactlyOnce;
      if (this.#soon) queueMicrotask(() => this.#pump());
      else this.#pump();
    }
  }

  /** Removes and returns deliveries that have not reached the handler: all, or those for which `isDue` returns true. */
  giveBack(isDue: (delivery: Delivery) => boolean = () => true): Delivery[] {
    const back = this.#pending.filter(({ delivery }) => isDue(delivery));
    const given = new Set(back);
    this.#pending = this.#pending.filter((task) => !given.has(task));
    return back.map(({ delivery }) => delivery);
  }

  /** Starts nothing new. Resolves when everything that was started is settled. */
  async drain(): Promise<void> {
    this.#stopping = true;
    this.#cancelPump();
    this.#idle ??= Promise.withResolvers();
    this.#tellIdle();
    await this.#idle.promise;
    this.consumer.timeouts.clear();
  }

  #pump(): void {
    this.#soon = false;
    while (!this.#stopping) {
      const tasks = this.#groups ? this.#nextGroup(this.#groups) : this.#nextTask();
      if (tasks.length === 0) return;
      const waitMs = this.#gate(tasks);
      if (waitMs > 0) {
        if (Number.isFinite(waitMs)) this.#pumpIn(waitMs);
        return;
      }
      for (const task of tasks) this.#pending.splice(this.#pending.indexOf(task), 1);
      void this.#run(tasks);
    }
  }

  /** Returns the first event whose item is not being handled. */
  #nextTask(): Pending[] {
    this.#dropGone();
    if (this.#alone || this.#running >= this.consumer.concurrency) return [];
    for (const task of this.#pending) {
      if (task.delivery.gone) continue;
      if (task.delivery.suspect) return this.#running === 0 ? [task] : [];
      if (!this.#busy.has(task.key)) return [task];
    }
    return [];
  }

  #nextGroup({ size, waitMs }: { size: number; waitMs: number }): Pending[] {
    this.#dropGone();
    const [first] = this.#pending;
    if (this.#running > 0 || !first) return [];
    if (first.delivery.suspect) return [first];
    const most = this.breaker.state === "closed" ? size : 1;
    let group = this.#pending.filter(({ delivery }) => !delivery.gone).slice(0, most);
    const suspect = group.findIndex((task) => task.delivery.suspect);
    if (suspect > 0) group = group.slice(0, suspect);
    const age = performance.now() - first.arrivedAt;
    if (group.length < most && suspect < 0 && age < waitMs) {
      this.#pumpIn(waitMs - age);
      return [];
    }
    return group;
  }

  #dropGone(): void {
    if (this.#pending[0]?.delivery.gone) this.#pending = this.#pending.filter((task) => !task.delivery.gone);
  }

  /** Returns 0 to go on, else the number of milliseconds to wait. Shortens `tasks` to what the rate allows. */
  #gate(tasks: Pending[]): number {
    const waitMs = this.breaker.waitMs(steadyNow());
    if (waitMs > 0 || !this.#bucket) return waitMs;
    for (let taken = 0; taken < tasks.length; taken += 1) {
      const rateMs = this.#bucket.take(performance.now());
      if (rateMs === 0) continue;
      tasks.length = taken;
      return taken === 0 ? rateMs : 0;
    }
    return 0;
  }

  #pumpIn(ms: number): void {
    this.#cancelPump();
    const pump = () => this.#pump();
    this.#cancelPump = this.breaker.state === "open" ? wakeAt(steadyNow() + ms, pump, steadyNow) : wakeIn(Math.max(1, Math.ceil(ms)), pump);
  }

  async #run(tasks: readonly Pending[]): Promise<void> {
    const [first] = tasks as readonly [Pending];
    const { suspect } = first.delivery;
    this.#running += 1;
    this.#alone = suspect;
    if (!this.#groups) this.#busy.add(first.key);
    const deaths = (suspect && (await this.#note((store) => store.countDeath(first.event.id)))) || 0;
    if (deaths >= this.consumer.maxDeaths) await this.#settle(first, { kind: "died", deaths });
    else {
      this.breaker.begin();
      let rest = tasks;
      do rest = await this.#handleFirst(rest);
      while (rest.length > 0 && !this.#stopping);
      this.#pending.unshift(...rest);
    }
    if (suspect) await this.#note((store) => store.forgetDeaths(first.event.id));
    this.#running -= 1;
    this.#alone = false;
    if (!this.#groups) this.#busy.delete(first.key);
    this.#tellIdle();
    this.#pump();
  }

  /** Handles and settles events, or the first of them. Resolves with those that were not handled. */
  async #handleFirst(tasks: readonly Pending[]): Promise<readonly Pending[]> {
    const startedAt = performance.now();
    const results = await this.#handle(tasks, () => !this.#stopping && performance.now() - startedAt < maxGroupMs);
    const ms = performance.now() - startedAt;
    for (const [index, result] of results.entries()) {
      const task = tasks[index] as Task;
      if (result.kind === "duplicate") this.breaker.skip();
      else {
        this.tally.handler(task.event.type, ms);
        this.breaker.end(isFailure(result), steadyNow());
      }
      // Settle in order without waiting for each: a settle may wait for the broker to confirm a copy.
      if (tasks.length > 1) void this.#settle(task, result);
      else await this.#settle(task, result);
    }
    return tasks.slice(results.length).filter(({ delivery }) => !delivery.gone);
  }

  #handle(tasks: readonly Task[], mayGoOn: () => boolean): Promise<Result[]> {
    const { consumer, store, beforeCommit } = this;
    if (!consumer.exactlyOnce) return handleBatch(consumer, tasks, () => this.#stopping);
    return handleExactlyOnce({ consumer, store, beforeCommit, mayGoOn, isStopping: () => this.#stopping }, tasks);
  }

  async #settle(task: Pick<Task, "delivery"> & Partial<Task>, result: Result): Promise<void> {
    const { delivery } = task;
    const outcome = decideOutcome(result, delivery.failures, this.consumer.retry, Math.random());
    this.tally.outcome(outcome, task.event, delivery);
    report(this.consumer, task, outcome);
    this.#settling += 1;
    await this.#noteAttempt(task, outcome);
    await settle(task, outcome, this.consumer, () => this.#stopping);
    this.#settling -= 1;
    this.#tellIdle();
  }

  async #noteAttempt({ delivery, event }: Pick<Task, "delivery"> & Partial<Task>, outcome: Outcome): Promise<void> {
    const note = attemptNote(outcome, delivery, now());
    const id = event?.id ?? delivery.origin.id;
    if (note && id !== undefined && !this.consumer.temporary) await this.#note((store) => store.attempts.add(id, note));
  }

  /** Writes a note to the consumer's store. A failed write loses a count or a line of history, but stops nothing. */
  async #note<T>(write: (store: ConsumerStore) => Promise<T>): Promise<T | undefined> {
    try {
      return await whenUnlocked(async () => write(await this.store()));
    } catch (error) {
      this.consumer.log.warn({ queue: this.consumer.queue, error: messageOf(error) }, "Cannot record the outcome of an event");
      return undefined;
    }
  }

  #onBreaker(state: BreakerState): void {
    const { queue, log } = this.consumer;
    const { pauseMs } = this.breaker.policy;
    if (state === "open") {
      log.error({ queue, pauseMs }, "The handler fails too often; pausing, then trying one event");
      this.onPause();
      this.#pumpIn(pauseMs);
    } else log.info({ queue, breaker: state }, state === "closed" ? "The handler works again" : "Trying one event");
  }

  #tellIdle(): void {
    if (this.#running + this.#settling === 0) this.#idle?.resolve();
  }
}
