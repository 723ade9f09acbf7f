import { matchesTopic } from "../../../src/schema/catalogue";
import type { Lane, World } from "../world";
import { type Entry, type Message, Queue } from "./queue";
import type { Session } from "./session";

interface Binding {
  readonly exchange: string;
  readonly pattern: string;
  readonly queue: string;
}

/** Notifications from the broker. */
export interface Watch {
  /** Called when a message is safe in these queues; an empty list means that it was dropped. */
  confirmed(message: Message, queues: readonly string[]): void;
  acked(queue: string, message: Message): void;
}

interface Unconfirmed {
  readonly message: Message;
  readonly places: readonly (readonly [Queue, Entry])[];
  readonly refused: boolean;
  readonly answer: (error: boolean) => void;
}

/** RabbitMQ in memory, with the guarantees of AMQP 0-9-1 and RabbitMQ's extensions. Everything they leave open is random. */
export class SimulatedBroker implements Lane {
  isUp = true;
  #hasAlarm = false;
  /** Share of messages that it refuses. A refused message may be stored all the same. */
  refusals = 0;
  readonly queues = new Map<string, Queue>();
  readonly exchanges = new Set<string>();
  readonly sessions = new Set<Session>();
  readonly #bindings: Binding[] = [];
  readonly #unconfirmed: Unconfirmed[] = [];
  #order = 0;

  constructor(
    readonly world: World,
    readonly watch: Watch,
  ) {
    world.lanes.add(this);
  }

  get hasAlarm(): boolean {
    return this.#hasAlarm;
  }

  /** Sets a memory or disk alarm. While it is on, nothing from publishers is read. */
  alarm(isOn: boolean): void {
    if (this.#hasAlarm === isOn) return;
    this.#hasAlarm = isOn;
    for (const { toClient, client } of this.sessions) toClient.send(() => client.alarm(isOn));
  }

  declareQueue(name: string, options: Queue["options"]): Queue {
    const queue = this.queues.get(name) ?? new Queue(this.world, name, options, (from, entry) => this.#deadLetter(from, entry));
    this.queues.set(name, queue);
    return queue;
  }

  deleteQueue(name: string): void {
    const queue = this.queues.get(name);
    if (!queue) return;
    this.queues.delete(name);
    this.world.lanes.delete(queue);
    for (const binding of this.#bindings.filter((each) => each.queue === name)) this.unbind(binding);
    for (const subscriber of queue.subscribers.splice(0)) subscriber.cancelled();
  }

  bind(binding: Binding): void {
    this.unbind(binding);
    this.#bindings.push(binding);
  }

  unbind({ exchange, pattern, queue }: Binding): void {
    const index = this.#bindings.findIndex((each) => each.exchange === exchange && each.pattern === pattern && each.queue === queue);
    if (index >= 0) this.#bindings.splice(index, 1);
  }

  /** Accepts a message. Returns whether a queue took it. Calls `answer` later with whether it is refused. */
  publish(message: Message, answer: (refused: boolean) => void): boolean {
    const queues = this.#route(message);
    const refused = queues.length > 0 && this.world.chance.chance(this.refusals);
    // A refused message may be stored all the same.
    const takes = !refused || this.world.chance.chance(0.5);
    const places = takes ? queues.map((queue) => [queue, this.#enqueue(queue, message, false)] as const) : [];
    this.#unconfirmed.push({ message, places, refused, answer });
    return queues.length > 0;
  }

  /** Confirms may arrive in any order. */
  readyAt(): number {
    return this.isUp && this.#unconfirmed.length > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  run(): void {
    const { chance } = this.world;
    const index = chance.chance(0.7) ? 0 : chance.below(this.#unconfirmed.length);
    const [next] = this.#unconfirmed.splice(index, 1);
    if (!next) return;
    for (const [, entry] of next.places) entry.isStored = true;
    if (!next.refused)
      this.watch.confirmed(
        next.message,
        next.places.map(([queue]) => queue.name),
      );
    next.answer(next.refused);
  }

  crash(): void {
    this.isUp = false;
    this.#hasAlarm = false;
    this.#unconfirmed.length = 0;
    for (const session of this.sessions) session.lose();
    for (const queue of this.queues.values()) {
      if (queue.options.durable) queue.crash();
      else this.deleteQueue(queue.name);
    }
  }

  #enqueue(queue: Queue, message: Message, isStored: boolean): Entry {
    this.#order += 1;
    const entry: Entry = { order: this.#order, message, dueAt: this.world.now + (queue.ttlMs ?? 0), redelivered: false, isStored };
    queue.put(entry);
    return entry;
  }

  #route({ exchange, routingKey }: Message): Queue[] {
    const names =
      exchange === ""
        ? [routingKey]
        : this.#bindings.filter((each) => each.exchange === exchange && matchesTopic(each.pattern, routingKey)).map(({ queue }) => queue);
    return [...new Set(names)].flatMap((name) => this.queues.get(name) ?? []);
  }

  /** Dead-letters with RabbitMQ's at-least-once strategy: the message stays until its target has it. */
  #deadLetter(from: Queue, { message }: Entry): boolean {
    const target = this.queues.get(String(from.options.arguments["x-dead-letter-routing-key"]));
    if (!this.isUp || !target) return false;
    const headers = { ...message.properties.headers, "x-death": [{ queue: from.name, reason: "expired", count: 1 }] };
    this.#enqueue(target, { ...message, exchange: "", routingKey: target.name, properties: { ...message.properties, headers } }, true);
    return true;
  }
}
