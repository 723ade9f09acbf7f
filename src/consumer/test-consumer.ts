// Test kit for handlers: no broker, no database, no port. It runs the real consumer runtime.
import type { AnyEvent, AskedTypes, EventPattern, Matching, NewestTypes } from "../delivery/consumed-events";
import { type ConsumerOptions, resolveConsumer } from "../delivery/consumer-options";
import { LazyStore } from "../delivery/lazy-store";
import type { Outcome } from "../delivery/outcome";
import { Worker } from "../delivery/worker";
import type { Counts } from "../delivery/worker-tally";
import { createLog, type Log } from "../observe/logging";
import { loadCatalogue } from "../project/resources";
import type { Catalogue } from "../schema/catalogue";
import { completeFields } from "../schema/complete-fields";
import { type Event, type EventOf, parseEvent } from "../schema/event";
import { versionOf } from "../schema/event-type";
import { exampleOf } from "../schema/example";
import { withoutPrivate } from "../schema/private";
import type { Resources } from "../schema/registered";
import type { RecordOf, Resource } from "../schema/resource";
import type { Tick } from "../schema/tick";
import { tickType } from "../schema/tick-type";
import type { Transaction } from "../store/consumer/transaction";
import { temporaryConsumerStore } from "../store/open";
import type { ReplayMark } from "../store/replay";
import { timestamp as currentTimestamp } from "../timing/clock";

export type { Outcome } from "../delivery/outcome";

/** Resources of src/domain/. */
const ownResources = await loadCatalogue();

type Envelope<Of = Event> = Partial<Omit<Event, "type">> &
  (Of extends { readonly data: infer Data } ? { readonly data?: Partial<Data> } : unknown);
/** The event `name` of a resource, such as `created`. */
type Named<R extends Resource, Name extends string> = Extract<EventOf<R>, { readonly type: `${string}.${Name}` }>;
type NameOf<R extends Resource> = EventOf<R>["type"] extends `${string}.${infer Name}` ? Name : never;
type RecordIn<Type> = Type extends `${infer Name extends keyof Resources}.${string}` ? RecordOf<Resources[Name]> : never;

/**
 * Builds a valid event. Fields that are not given come from the examples of the schemas. Id and times are new.
 *
 * @param record overrides fields of the record.
 * @param envelope overrides id, version and timestamp of the event, and fields of the `data` of a custom event.
 * @throws {TypeError} if src/domain/ does not export the resource.
 * @example
 * buildEvent("item.created", { id: 7, price: 1200 })
 */
export function buildEvent<const Type extends AnyEvent["type"]>(
  type: Type,
  record: Partial<RecordIn<Type>> = {},
  envelope: Envelope<Matching<Type>> = {} as never,
): Matching<Type> {
  const [resource = "", name = ""] = type.split(".");
  const known = ownResources.resource(resource);
  if (!known) throw new TypeError(`There is no resource "${resource}" in src/domain/.`);
  return build(known, name, record, envelope) as unknown as Matching<Type>;
}

/**
 * Builds the event that the time of a schedule has come.
 *
 * @param queue queue of the consumer, which names the schedule.
 * @param dueAt the time, in ISO 8601 and UTC. Default: now.
 */
export function buildTick(queue: string, dueAt = currentTimestamp()): Tick {
  const timestamp = currentTimestamp();
  return { id: Bun.randomUUIDv7(), type: tickType, version: 1, schedule: { id: 1, name: queue, dueAt }, timestamp };
}

/** Builds an event as {@link buildEvent} does, for a resource that `src/domain/` does not export. */
export function buildEventOf<R extends Resource, const Name extends NameOf<R>>(
  resource: R,
  name: Name,
  record: Partial<RecordOf<R>> = {},
  envelope: Envelope<Named<R, Name>> = {} as never,
): Named<R, Name> {
  return build(resource, name, record, envelope) as unknown as Named<R, Name>;
}

function build(resource: Resource, name: string, record: object, { data, ...envelope }: Envelope & { data?: object }): Event {
  const timestamp = envelope.timestamp ?? currentTimestamp();
  const version = name === "updated" ? 2 : 1;
  const filled = {
    id: 1,
    ...withoutPrivate(resource, completeFields(resource, resource.example)),
    version,
    createdAt: timestamp,
    updatedAt: timestamp,
    ...record,
  };
  const schema = resource.events[name];
  return {
    id: Bun.randomUUIDv7(),
    type: `${resource.name}.${name}`,
    version: versionOf(resource, name),
    [resource.name]: filled,
    ...(schema && { data: { ...(exampleOf(schema) as object), ...data } }),
    timestamp,
    ...envelope,
  };
}

/** Circumstances of a delivery. */
export interface TestDelivery {
  /** Number of the attempt, from 1. Default: 1. */
  readonly attempt?: number;
  /** Number of processes that died while handling the message. Default: 0. */
  readonly deaths?: number;
  /** Replay mark: `yes` if a replay sent the message, `forced` to handle it even if its id is in the inbox. Default: `no`. */
  readonly replay?: ReplayMark;
  /** W3C trace context in the event. Default: none. */
  readonly traceparent?: string;
  /** Content encoding of the body according to the publisher, AMQP's `content_encoding`. Default: none. */
  readonly contentEncoding?: string;
}

/** A consumer that gets its messages from the test. */
export interface TestConsumer extends AsyncDisposable {
  /**
   * Delivers a message. Resolves with the outcome:
   * `{ action: "ack", result }`, `{ action: "retry", delayMs, attempts, error }` or
   * `{ action: "dead-letter", reason, attempts, error }`.
   *
   * Deliveries that are not awaited one by one are in progress together, as on a queue.
   *
   * @param message an event, or any text or bytes that a queue may contain. Text is delivered as UTF-8.
   * @throws {Error} if the consumer is closed, or the error of its `setup`.
   */
  deliver(message: Event | string | Uint8Array, delivery?: TestDelivery): Promise<Outcome>;
  /** Delivers a message, and again after each retry, without the delay. Resolves with all outcomes; the last is final. */
  deliverWithRetries(message: Event | string | Uint8Array): Promise<Outcome[]>;
  /** Resolves with rows that a handler with `exactlyOnce` has written with `tx`. */
  readonly rows: Transaction["all"];
  /** Number of messages by outcome. */
  readonly counts: Readonly<Counts>;
  /** Waits for the events in progress and closes the consumer. `await using` does so automatically. */
  close(): Promise<void>;
}

export interface TestSettings {
  /** Resources of the events. Default: those of `src/domain/`. */
  readonly catalogue?: Catalogue;
  /** Log of the consumer. Default: silent. */
  readonly log?: Log;
}

/**
 * Runs a consumer in memory. The options are those of `runConsumer`, with the same checks. The circuit breaker is off
 * unless the options set one, so a test may fail any number of times.
 *
 * @example
 * await using consumer = testConsumer({ queue: "prices", events: ["item.*"], handle: watchPrice });
 * expect(await consumer.deliver(buildEvent("item.created", { price: -1 }))).toMatchObject({ action: "dead-letter", reason: "invalid" });
 * @throws {ConsumerError} for invalid options.
 * @throws {UnknownEventType} if a pattern matches no event type.
 */
export function testConsumer<const Pattern extends EventPattern, const Asked extends AskedTypes = NewestTypes>(
  options: ConsumerOptions<Pattern, Asked>,
  settings: TestSettings = {},
): TestConsumer {
  const { catalogue = ownResources, log = createLog({ level: "silent", format: "json", stream: 2 }) } = settings;
  const breaker = options.breaker ?? { minimum: Number.POSITIVE_INFINITY };
  const consumer = resolveConsumer({ ...options, breaker } as ConsumerOptions<Pattern, Asked>, catalogue, log, () => {});
  const inMemory = { open: async () => temporaryConsumerStore(), shownOf: () => "memory" };
  const store = new LazyStore(consumer, inMemory, { durable: false });
  const worker = new Worker(consumer, store.open);
  let closed = false;

  async function deliver(message: Event | string | Uint8Array, delivery: TestDelivery = {}): Promise<Outcome> {
    if (closed) throw new Error("This consumer is closed.");
    // Tells of a mistake in `setup`.
    if (consumer.exactlyOnce) await store.open();
    const { attempt = 1, deaths = 0, replay = "no", traceparent, contentEncoding: encoding } = delivery;
    const body = bytesOf(message);
    const parsed = deaths > 1 ? parseEvent(body, catalogue) : undefined;
    // The worker counts the last death itself.
    if (parsed?.ok) for (let death = 1; death < deaths; death += 1) await (await store.open()).countDeath(parsed.event.id);
    return new Promise((resolve) => {
      // Resolves when the worker is done with it, so that the next step finds nothing half done.
      const settle = (outcome: Outcome) => void setImmediate(resolve, outcome);
      const { queue: destination, temporary } = consumer;
      const origin = { system: "warren", destination, temporary, id: undefined, traceparent } as const;
      worker.take({ body, encoding, failures: attempt - 1, suspect: deaths > 0, replay, origin, gone: false, settle });
    });
  }
  async function deliverWithRetries(message: Event | string | Uint8Array): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (;;) {
      const outcome = await deliver(message, { attempt: outcomes.length + 1 });
      outcomes.push(outcome);
      if (outcome.action !== "retry") return outcomes;
    }
  }
  async function close(): Promise<void> {
    closed = true;
    await worker.drain();
    await new Promise(setImmediate);
    await store.close();
  }
  return {
    deliver,
    deliverWithRetries,
    rows: async (sql, ...values) => (await store.open()).transaction.all(sql, ...values),
    counts: worker.tally.counts,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Returns a message as bytes, as a queue holds it. Decoding bytes drops a byte order mark; a string would keep it. */
function bytesOf(message: Event | string | Uint8Array): Uint8Array {
  return message instanceof Uint8Array ? message : Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
}
