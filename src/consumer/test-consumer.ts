// For tests of your own handlers: no broker, no database, no port. The consumer runtime in it is the real one.
import type { AnyEvent, AskedTypes, EventPattern, Matching, NewestTypes } from "../delivery/consumed-events";
import { type ConsumerOptions, resolveConsumer } from "../delivery/consumer-options";
import type { Outcome } from "../delivery/outcome";
import { Worker } from "../delivery/worker";
import type { Counts } from "../delivery/worker-tally";
import { createLog, type Log } from "../observe/logging";
import { loadCatalogue } from "../project/resources";
import type { Catalogue } from "../schema/catalogue";
import { type Event, type EventOf, parseEvent } from "../schema/event";
import { versionOf } from "../schema/event-type";
import { exampleOf } from "../schema/example";
import type { Resources } from "../schema/registered";
import type { RecordOf, Resource } from "../schema/resource";
import { type ConsumerFile, openConsumerFile, type Transaction } from "../store/consumer/file";
import type { ReplayMark } from "../store/replay";

export type { Outcome } from "../delivery/outcome";

/** The resources of src/domain/. */
const ownResources = await loadCatalogue();

type Envelope<Of = Event> = Partial<Omit<Event, "type">> &
  (Of extends { readonly data: infer Data } ? { readonly data?: Partial<Data> } : unknown);
/** The event `name` of a resource: `created`. */
type Named<R extends Resource, Name extends string> = Extract<EventOf<R>, { readonly type: `${string}.${Name}` }>;
type NameOf<R extends Resource> = EventOf<R>["type"] extends `${string}.${infer Name}` ? Name : never;
type RecordIn<Type> = Type extends `${infer Name extends keyof Resources}.${string}` ? RecordOf<Resources[Name]> : never;

/**
 * Builds a valid event. What is not given comes from the examples of the schemas; id and times are new.
 *
 * @param record overrides parts of the record.
 * @param envelope overrides id, version and timestamp of the event, and parts of the `data` of a custom one.
 * @example
 * buildEvent("item.created", { id: 7, price: 1200 })
 */
export function buildEvent<const Type extends AnyEvent["type"]>(
  type: Type,
  record: Partial<RecordIn<Type>> = {},
  envelope: Envelope<Matching<Type>> = {} as never,
): Matching<Type> {
  const [resource = "", name = ""] = type.split(".");
  const known = ownResources.resources.find((each) => each.name === resource);
  if (!known) throw new TypeError(`There is no resource "${resource}" in src/domain/.`);
  return build(known, name, record, envelope) as unknown as Matching<Type>;
}

/** As {@link buildEvent}, for a resource that is not exported from `src/domain/`. */
export function buildEventOf<R extends Resource, const Name extends NameOf<R>>(
  resource: R,
  name: Name,
  record: Partial<RecordOf<R>> = {},
  envelope: Envelope<Named<R, Name>> = {} as never,
): Named<R, Name> {
  return build(resource, name, record, envelope) as unknown as Named<R, Name>;
}

function build(resource: Resource, name: string, record: object, { data, ...envelope }: Envelope & { data?: object }): Event {
  const timestamp = envelope.timestamp ?? new Date().toISOString();
  const version = name === "updated" ? 2 : 1;
  const filled = { id: 1, ...resource.example, version, createdAt: timestamp, updatedAt: timestamp, ...record };
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

/** How a message comes to the consumer. */
export interface TestDelivery {
  /** 1 for the first attempt. Default: 1. */
  readonly attempt?: number;
  /** How many processes have died while they handled it. Default: 0. */
  readonly deaths?: number;
  /** Whether somebody asked for it again; `forced`: even if the inbox remembers it. Default: `no`. */
  readonly replay?: ReplayMark;
  /** The W3C trace context that the event carries. Default: none. */
  readonly traceparent?: string;
  /** What the publisher says of the body's encoding: AMQP's `content_encoding`. Default: nothing. */
  readonly contentEncoding?: string;
}

/** A consumer whose messages come from the test. */
export interface TestConsumer extends AsyncDisposable {
  /**
   * Delivers a message, and answers what was done with it:
   * `{ action: "ack", result }`, `{ action: "retry", delayMs, attempts, error }` or
   * `{ action: "dead-letter", reason, attempts, error }`.
   *
   * Several that are not awaited in between are in hand together, as on a queue.
   *
   * @param message an event, or any text or bytes that a queue may have. A text is delivered as its bytes in UTF-8.
   */
  deliver(message: Event | string | Uint8Array, delivery?: TestDelivery): Promise<Outcome>;
  /** As {@link deliver}, then again after each retry, without the wait. Answers every outcome; the last one is final. */
  deliverWithRetries(message: Event | string | Uint8Array): Promise<Outcome[]>;
  /** Reads what a handler with `exactlyOnce` has written with `tx`. */
  readonly rows: Transaction["all"];
  readonly counts: Readonly<Counts>;
  /** Waits for the events in hand. `await using` does it by itself. */
  close(): Promise<void>;
}

export interface TestSettings {
  /** The resources that there are. Default: those of `src/domain/`. */
  readonly catalogue?: Catalogue;
  /** Default: none. */
  readonly log?: Log;
}

/**
 * Runs a consumer in memory: the options are those of `runConsumer`, checked as there. The circuit breaker is off unless
 * the options have one, so that a test may fail as often as it likes.
 *
 * @example
 * await using consumer = testConsumer({ queue: "prices", events: ["item.*"], handle: watchPrice });
 * expect(await consumer.deliver(buildEvent("item.created", { price: -1 }))).toMatchObject({ action: "dead-letter", reason: "invalid" });
 * @throws {ConsumerError} for options that make no sense.
 * @throws {UnknownEventType} when a pattern selects no event type.
 */
export function testConsumer<const Pattern extends EventPattern, const Asked extends AskedTypes = NewestTypes>(
  options: ConsumerOptions<Pattern, Asked>,
  settings: TestSettings = {},
): TestConsumer {
  const { catalogue = ownResources, log = createLog({ level: "silent", format: "json", stream: 2 }) } = settings;
  const breaker = options.breaker ?? { minimum: Number.POSITIVE_INFINITY };
  const consumer = resolveConsumer({ ...options, breaker } as ConsumerOptions<Pattern, Asked>, catalogue, log, () => {});
  let opened: ConsumerFile | undefined;
  const file = () => {
    opened ??= openConsumerFile(":memory:", { durable: false });
    return opened;
  };
  if (consumer.exactlyOnce) file().together(() => consumer.setup(file().transaction));
  const worker = new Worker(consumer, file);
  let closed = false;

  function deliver(message: Event | string | Uint8Array, delivery: TestDelivery = {}): Promise<Outcome> {
    if (closed) throw new Error("This consumer is closed.");
    const { attempt = 1, deaths = 0, replay = "no", traceparent, contentEncoding: encoding } = delivery;
    const body = bytesOf(message);
    const parsed = deaths > 1 ? parseEvent(body, catalogue) : undefined;
    // The delivery itself counts the last of them.
    if (parsed?.ok) for (let death = 1; death < deaths; death += 1) file().countDeath(parsed.event.id);
    return new Promise((resolve) => {
      // Answers when the worker is done with it, so that whatever comes next finds nothing half done.
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
    opened?.close();
    opened = undefined;
  }
  return {
    deliver,
    deliverWithRetries,
    rows: (sql, ...values) => file().transaction.all(sql, ...values),
    counts: worker.tally.counts,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** As a queue has it: one that begins with a byte order mark is read like one that does not. */
function bytesOf(message: Event | string | Uint8Array): Uint8Array {
  return message instanceof Uint8Array ? message : Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
}
