import type { Api } from "./api";
import type { ConsumerProgram } from "./consumer";
import type { Environment } from "./environment";
import type { Illness } from "./handler";
import type { Fault } from "./plan";
import type { Process } from "./process";
import type { SimulatedConnection } from "./rabbit/connection";
import type { Random } from "./random";

/** Client actions and faults, in random order. */
export class Story {
  readonly #deeds: (readonly [weight: number, fault: Fault | undefined, deed: () => void])[];

  constructor(
    readonly environment: Environment,
    readonly chance: Random,
    readonly api: Api,
    readonly consumers: readonly ConsumerProgram[],
    readonly illnesses: Map<number, Illness>,
    readonly connections: ReadonlySet<SimulatedConnection>,
  ) {
    const { faults } = environment.plan;
    const deeds: (readonly [number, Fault | undefined, () => void])[] = [
      [10, undefined, () => api.insert()],
      [8, undefined, () => api.update()],
      [2, undefined, () => api.remove()],
      [3, undefined, () => api.remind()],
      [1, undefined, () => api.calm()],
      [6, undefined, () => this.restart()],
      [2, "handler errors", () => this.#makeIll("error")],
      [1, "handler rejects", () => this.#makeIll("reject")],
      [1, "handler asks for a later retry", () => this.#makeIll("late")],
      [1, "handler hangs", () => this.#makeIll("hang")],
      [1, "handler errors", () => this.#heal()],
      [2, "api killed", () => this.#kill(api.process)],
      [2, "consumer killed", () => this.#kill(this.#anyConsumer.process)],
      [3, "killed inside", () => this.#anyProgram.process?.dieAfter(chance.below(12))],
      [1, "stops", () => this.#anyProgram.stop()],
      [3, "connection cut", () => this.#cut()],
      [2, "half-open connection", () => this.#stall()],
      [1, "broker killed", () => this.#killBroker()],
      [1, "alarm", () => this.#alarm()],
      [2, "queue deleted", () => this.#deleteQueue()],
      [1, "disk full", () => this.#fillDisk()],
      [1, "clock jumps", () => this.#jump()],
      [1, "replays", () => this.#replay(false)],
      [1, "forced replays", () => this.#replay(true)],
      [1, "redrives", () => api.redrive(this.#anyConsumer.queue.plan.queue)],
    ];
    if (environment.plan.ticker) deeds.push([4, undefined, () => this.#setMinute(chance.below(3))]);
    this.#deeds = deeds.filter(([, fault]) => fault === undefined || faults.has(fault));
    if (faults.has("refused messages")) environment.broker.refusals = 0.05;
  }

  /** Performs one random action. */
  next(): void {
    let place = this.chance.below(this.#deeds.reduce((sum, [weight]) => sum + weight, 0));
    const chosen = this.#deeds.find(([weight]) => {
      place -= weight;
      return place < 0;
    });
    chosen?.[2]();
  }

  /** Ends every fault and starts every stopped program. */
  healAll(): void {
    const { broker, world } = this.environment;
    world.note("everything is healed");
    this.illnesses.clear();
    // No timer has to wait for what the clock was ahead.
    if (this.environment.plan.ticker) this.#setMinute(3);
    broker.refusals = 0;
    broker.alarm(false);
    broker.isUp = true;
    for (const { process } of [this.api, ...this.consumers])
      if (process) Object.assign(process, { diskFull: false }).dieAfter(Number.POSITIVE_INFINITY);
    this.restart();
  }

  /** Starts the programs that have exited, as a supervisor does. */
  restart(): void {
    const { broker } = this.environment;
    if (!broker.isUp) this.environment.world.note("the broker is back");
    broker.isUp = true;
    for (const program of [this.api, ...this.consumers]) if (!program.isRunning) program.start();
  }

  get #anyConsumer(): ConsumerProgram {
    return this.chance.pick(this.consumers);
  }
  get #anyProgram(): Api | ConsumerProgram {
    return this.chance.pick([this.api, ...this.consumers]);
  }

  #kill(process: Process | undefined): void {
    if (!process?.isAlive) return;
    this.environment.world.note(`${process.name} is killed`);
    process.kill();
  }

  #makeIll(illness: Illness): void {
    const item = 1 + this.chance.below(6);
    this.environment.world.note(`the handlers have trouble with item ${item}: ${illness}`);
    this.illnesses.set(item, illness);
  }

  #heal(): void {
    this.environment.world.note("the handlers have no more trouble");
    this.illnesses.clear();
  }

  get #anyConnection(): SimulatedConnection | undefined {
    const open = [...this.connections].filter(({ process }) => process.isAlive);
    return open.length === 0 ? undefined : this.chance.pick(open);
  }

  #cut(): void {
    const connection = this.#anyConnection;
    if (!connection) return;
    this.environment.world.note(`a connection of ${connection.process.name} is cut`);
    this.#interrupt(connection.process);
    connection.cut();
  }

  /** Stalls both directions of a connection. Later one end gives up, and the other notices after that. */
  #stall(): void {
    const connection = this.#anyConnection;
    if (!connection) return;
    const { world } = this.environment;
    world.note(`a connection of ${connection.process.name} is half open`);
    this.#interrupt(connection.process);
    connection.toBroker.stalledUntil = world.now + this.chance.below(15_000);
    connection.toClient.stalledUntil = world.now + this.chance.below(15_000);
    connection.cut();
  }

  #interrupt(process: Process): void {
    if (process === this.api.process) this.environment.history.apiInterruptions += 1;
    for (const program of this.consumers) if (program.process === process) program.queue.interruptions += 1;
  }

  #killBroker(): void {
    this.environment.world.note("the broker is killed");
    for (const { queue } of this.consumers) queue.interruptions += 1;
    this.environment.broker.crash();
  }

  #alarm(): void {
    const { broker, world } = this.environment;
    world.note(broker.hasAlarm ? "the broker's alarm is over" : "the broker has an alarm");
    broker.alarm(!broker.hasAlarm);
  }

  /** Deletes an empty queue that no other program needs. */
  #deleteQueue(): void {
    const { broker, plan, world } = this.environment;
    const isShared = plan.queues.length > 1;
    const known = plan.queues.map(({ queue }) => queue);
    const isOurs = (name: string) => known.some((queue) => name.startsWith(`${queue}.`) || (!isShared && name === queue));
    const empty = [...broker.queues.values()].filter(({ name, entries, unacked }) => isOurs(name) && entries.length + unacked === 0);
    const [queue] = empty.length === 0 ? [] : [this.chance.pick(empty)];
    if (!queue || (queue.name === "audit" && broker.queues.has("item_events"))) return;
    world.note(`the queue ${queue.name} is deleted`);
    broker.deleteQueue(queue.name);
  }

  #fillDisk(): void {
    const { process } = this.#anyProgram;
    if (!process?.isAlive) return;
    process.diskFull = !process.diskFull;
    this.environment.world.note(`the disk of ${process.name} is ${process.diskFull ? "full" : "not full any more"}`);
  }

  /** Sets the clock of the API to another minute, so that times of the schedule come, and come once more. */
  #setMinute(minute: number): void {
    this.environment.world.note(`the clock of the api is ${minute} minutes ahead`);
    this.environment.history.jump();
    this.api.clockOffsetMs = minute * 60_000;
    if (this.api.process) this.api.process.clockOffsetMs = this.api.clockOffsetMs;
    // Until the API has looked at the clock.
    const { world } = this.environment;
    for (const until = world.now + 1100; world.now < until; ) world.step();
  }

  #jump(): void {
    const { process } = this.#anyProgram;
    if (!process?.isAlive) return;
    if (process === this.api.process) this.environment.history.jump();
    process.clockOffsetMs = this.chance.below(6000) - 3000;
    this.environment.world.note(`the clock of ${process.name} is ${process.clockOffsetMs} ms off`);
  }

  #replay(force: boolean): void {
    const { queue } = this.chance.pick(this.consumers.filter((consumer) => !consumer.queue.plan.ticks));
    queue[force ? "forced" : "replays"] += 1;
    this.api.replay(queue.plan.queue, force);
  }
}
