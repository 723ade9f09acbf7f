import type { ExactlyOnceContext } from "warren/consumer";
import { startConsumer } from "../../src/consumer/start";
import type { RunningConsumer } from "../../src/delivery/running";
import type { Tick } from "../../src/schema/tick";
import type { Transaction } from "../../src/store/consumer/transaction";
import type { ItemConsumer, ItemEvent } from "../support/item-events";
import type { Environment } from "./environment";
import { Handler, handlerTimeoutMs, type Illness } from "./handler";
import type { QueueHistory } from "./history";
import type { Process } from "./process";

const stopTimeoutMs = 8000;

const createEffects = (tx: Transaction) => tx.run("CREATE TABLE IF NOT EXISTS effects (event TEXT NOT NULL)");

/** A consumer program: successive processes on one queue. */
export class ConsumerProgram {
  process: Process | undefined;
  #running: RunningConsumer | undefined;

  constructor(
    readonly environment: Environment,
    readonly queue: QueueHistory,
    readonly illnesses: ReadonlyMap<number, Illness>,
  ) {}

  get isRunning(): boolean {
    return this.process?.isAlive === true;
  }

  start(): void {
    const { world, config } = this.environment;
    const process = this.environment.spawn(this.queue.plan.queue);
    this.process = process;
    this.#running = undefined;
    process.onDeath.push(() => {
      this.queue.interruptions += 1;
    });
    world.enter(process, () => {
      startConsumer(this.#options(process), config, process.log).then(
        (running) => {
          this.#running = running;
          running.ended.catch((error) => this.#exit(process, `cannot go on: ${String(error)}`));
        },
        (error) => this.#exit(process, `could not start: ${String(error)}`),
      );
    });
  }

  /** Stops the consumer as SIGTERM does. */
  stop(): void {
    const running = this.#running;
    const { process } = this;
    if (!process?.isAlive || !running) return;
    this.environment.world.note(`${process.name} stops`);
    this.environment.world.enter(process, () => {
      setTimeout(() => this.#exit(process, "took too long to stop"), stopTimeoutMs);
      running.stop().then(
        () => this.#exit(process, "has stopped"),
        (error) => this.#exit(process, `could not stop: ${String(error)}`),
      );
    });
  }

  #exit(process: Process, why: string): void {
    if (!process.isAlive) return;
    this.environment.world.note(`${process.name} ${why}`);
    process.kill();
  }

  #options(process: Process): ItemConsumer {
    const { plan } = this.queue;
    const { faults } = this.environment.plan;
    const handler = new Handler(this.environment, process, this.queue, this.illnesses);
    const common = {
      queue: plan.queue,
      events: plan.events,
      prefetch: plan.prefetch,
      handlerTimeoutMs,
      maxDeaths: faults.has("few deaths") ? 3 : 1000,
      retry: { attempts: plan.attempts, firstDelayMs: 20, factor: 2, longestDelayMs: 100 },
      breaker: faults.has("breaker") ? { minimum: 3, windowMs: 2000, pauseMs: 300 } : { minimum: 1_000_000 },
    };
    if (plan.ticks) return this.#scheduled(common, handler);
    const batch = { size: 4, waitMs: 10 };
    if (plan.exactlyOnce) {
      const setup = createEffects;
      const handle = (events: readonly ItemEvent[], context: ExactlyOnceContext) => handler.handleInTransaction(events, context);
      return plan.batches
        ? { ...common, exactlyOnce: true, setup, handleBatch: handle, batch }
        : { ...common, exactlyOnce: true, setup, handle: (event, context) => handle([event], context) };
    }
    const handle: Handler["handle"] = async (events, context) => handler.handle(events, context);
    if (plan.batches) return { ...common, handleBatch: handle, batch };
    return {
      ...common,
      concurrency: plan.concurrency,
      handle: (event, context) => (plan.quick ? handler.handleQuickly([event], context) : handle([event], context)),
    };
  }

  #scheduled({ events: _, ...common }: { readonly events: unknown }, handler: Handler): ItemConsumer {
    const { exactlyOnce } = this.queue.plan;
    const handle = (tick: Tick, context: ExactlyOnceContext) => handler.handleTick(tick, exactlyOnce ? context.tx : undefined);
    const options = { ...common, schedule: "* * * * *", handle, ...(exactlyOnce && { exactlyOnce, setup: createEffects }) };
    return options as unknown as ItemConsumer;
  }
}
