import { aboutProject } from "../project/about";
import { deadQueueOf } from "../rabbitmq/topology";
import { type Catalogue, selects } from "../schema/catalogue";
import { typesWithErasure } from "../schema/erasure";
import { type EventShape, type EventType, isPublished } from "../schema/event-type";
import { tickEventType } from "../schema/tick-type";
import { bindingVersion, componentsOf, describeEventType, messageKey } from "./asyncapi-messages";
import type { FoundConsumer } from "./find-consumers";
import type { Json } from "./rebuild";

export interface AsyncApiDocument {
  readonly asyncapi: "3.0.0";
  readonly channels: Record<string, Json>;
  readonly operations: Record<string, Json>;
  readonly components: Record<"messages" | "schemas" | "securitySchemes", Record<string, Json>>;
  readonly [key: string]: unknown;
}

const security = [{ $ref: "#/components/securitySchemes/user" }];

/**
 * Returns the AsyncAPI 3 document of all events. It has a channel per routing key and queue, and a message per version of
 * each event type. It has an operation per published event type and per consumer.
 *
 * @see https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
export function asyncApiDocument(catalogue: Catalogue, consumers: readonly FoundConsumer[]): AsyncApiDocument {
  const { types } = catalogue;
  const scheduled = consumers.some(isScheduled) ? [tickEventType] : [];
  const { title, version, author, license } = aboutProject();
  const reading = consumers.map((consumer) => ({ consumer, types: typesOf(consumer, catalogue), queue: consumer.queue }));
  const queues = new Map<string, Json>();
  for (const resource of catalogue.resources) {
    const { name, queue } = resource;
    queues.set(
      keyOf(queue),
      queueChannel(
        queue,
        typesWithErasure(resource).map(typeIn(catalogue)),
        `Receives every event of "${name}". Its consumers share the events.`,
      ),
    );
  }
  for (const { consumer, types, queue } of reading) {
    if (catalogue.ownerOf(queue ?? "")) continue;
    queues.set(keyOf(queue ?? consumer.name), queueChannel(queue, types, describeQueue(consumer, types)));
  }
  return {
    asyncapi: "3.0.0",
    info: {
      title: `${title} events`,
      version,
      description:
        "Every change to a resource is an event. It is committed together with the change, published with a publisher confirm, and delivered " +
        "at least once to every queue that is bound to its type. A consumer written with Warren receives each event in the newest version of " +
        "its type, whatever the version of the message.",
      ...(author && { contact: { name: author } }),
      ...(license && { license: { name: license, url: `https://spdx.org/licenses/${license}.html` } }),
      tags: catalogue.resources.map(({ name }) => ({ name, description: `Events of "${name}".` })),
    },
    defaultContentType: "application/json",
    servers: {
      rabbitmq: {
        host: "{host}:{port}",
        protocol: "amqp",
        protocolVersion: "0-9-1",
        description: "The address is set with RABBITMQ_URL. Without RabbitMQ, consumers read the same events from the log.",
        variables: { host: { default: "localhost" }, port: { default: "5672" } },
        security,
      },
    },
    channels: { ...Object.fromEntries(types.map((type) => [type.type, typeChannel(type)])), ...Object.fromEntries(queues) },
    operations: Object.fromEntries([
      ...types.filter(isPublished).map((type) => [`publish.${type.type}`, publishing(type)]),
      ...reading.map(({ consumer, types, queue }) => [`consume.${consumer.name}`, consuming(consumer, queue, types)]),
    ]),
    components: {
      ...componentsOf(catalogue, [...types, ...scheduled]),
      securitySchemes: { user: { type: "userPassword", description: "The user name and password in RABBITMQ_URL." } },
    },
  };
}

function isScheduled({ schedule }: FoundConsumer): boolean {
  return schedule !== undefined;
}

function describeQueue({ queue, schedule, timeZone = "UTC" }: FoundConsumer, types: readonly EventType[]): string {
  if (schedule !== undefined) return `A dedicated queue, which gets an event at the times of \`${schedule}\` in ${timeZone}.`;
  return `${queue === undefined ? "A temporary queue" : "A dedicated queue"}, bound to ${types.map(({ type }) => `\`${type}\``).join(", ")}.`;
}

/** Returns the channel of an event type: a routing key on the exchange of its resource. */
function typeChannel(type: EventType): Json {
  const exchange = { name: type.resource.exchange, type: "topic", durable: true, autoDelete: false, vhost: "/" };
  return {
    address: type.type,
    title: type.type,
    description: describeEventType(type),
    messages: messagesOf([type]),
    bindings: { amqp: { is: "routingKey", exchange, bindingVersion } },
  };
}

function queueChannel(queue: string | undefined, types: readonly EventType[], description: string): Json {
  const names = [...(queue ?? "").matchAll(/\{(\w+)\}/g)].map(([, name]) => [
    name,
    { description: "Set in the consumer's own configuration." },
  ]);
  const durable = queue !== undefined;
  return {
    address: queue ?? null,
    ...(names.length > 0 && { parameters: Object.fromEntries(names) }),
    description: durable
      ? `${description} A failed event waits for its next attempt in \`${queue}.retry.<ms>\`. A dead-lettered event is kept in \`${deadQueueOf(queue)}\`.`
      : description,
    messages: messagesOf(types),
    bindings: {
      amqp: {
        is: "queue",
        queue: { ...(durable && { name: queue }), durable, exclusive: !durable, autoDelete: false, vhost: "/" },
        bindingVersion,
      },
    },
  };
}

function publishing(type: EventType): Json {
  const newest = type.shapes.at(-1) as EventShape;
  return {
    action: "send",
    channel: { $ref: `#/channels/${type.type}` },
    title: `Publish ${type.type}`,
    description: describeEventType(type),
    security,
    messages: [{ $ref: `#/channels/${type.type}/messages/${messageKey(type, newest)}` }],
    bindings: { amqp: { deliveryMode: 2, mandatory: true, timestamp: true, bindingVersion } },
  };
}

function consuming(consumer: FoundConsumer, queue: string | undefined, types: readonly EventType[]): Json {
  const key = keyOf(queue ?? consumer.name);
  const asked = Object.entries(consumer.versions ?? {}).map(([type, version]) => `\`${type}\` in version ${version}`);
  return {
    action: "receive",
    channel: { $ref: `#/channels/${key}` },
    title: `Consumer ${consumer.name}`,
    security,
    ...(consumer.description !== undefined && { summary: consumer.description }),
    description: [
      "Reads every version and receives each event in the newest one.",
      ...(asked.length > 0 ? [`Requests ${asked.join(", ")}.`] : []),
      consumer.exactlyOnce ? "Its effects are applied exactly once." : "Handles each event at least once.",
    ].join(" "),
    messages: Object.keys(messagesOf(types)).map((message) => ({ $ref: `#/channels/${key}/messages/${message}` })),
    bindings: { amqp: { ack: true, bindingVersion } },
  };
}

function typesOf(consumer: FoundConsumer, catalogue: Catalogue): EventType[] {
  if (isScheduled(consumer)) return [tickEventType];
  const { queue, events } = consumer;
  const owner = catalogue.ownerOf(queue ?? "");
  const patterns = events ?? (owner ? [`${owner.name}.*`] : ["#"]);
  return catalogue.types.filter(({ type }) => patterns.some((pattern) => selects(pattern, type)));
}

function typeIn(catalogue: Catalogue): (name: string) => EventType {
  return (name) => catalogue.eventType(name) as EventType;
}

function messagesOf(types: readonly EventType[]): Record<string, { $ref: string }> {
  const keys = types.flatMap((type) => type.shapes.map((shape) => messageKey(type, shape)));
  return Object.fromEntries(keys.map((key) => [key, { $ref: `#/components/messages/${key}` }]));
}

/** Returns the key of a queue's channel. The prefix keeps it distinct from event types, which are channels too. */
function keyOf(queue: string): string {
  return `queue-${queue.replace(/[^\w.-]/g, "")}`;
}
