import { toMessage } from "../rabbitmq/message";
import type { Catalogue } from "../schema/catalogue";
import { titleOf } from "../schema/documented";
import { erased } from "../schema/erasure";
import { envelopeSchema } from "../schema/event";
import { type EventShape, type EventType, isPublished, newestVersion } from "../schema/event-type";
import { exampleBody } from "../schema/published";
import { tickType } from "../schema/tick-type";
import { NamedSchemas, type SchemaReference } from "./named-schemas";
import { documented, type Json } from "./rebuild";

/** Version of the AMQP bindings of AsyncAPI. */
export const bindingVersion = "0.3.0";

/** Returns the messages of an AsyncAPI document, one per version of each event type, and the schemas that they refer to. */
export function componentsOf({ resources }: Catalogue, types: readonly EventType[]): Record<"messages" | "schemas", Record<string, Json>> {
  const names = new NamedSchemas(resources.map(({ name }) => titleOf(name)));
  const headers = names.add("EventHeaders", headersSchema);
  const message = (type: EventType, shape: EventShape) => [messageKey(type, shape), messageOf(type, shape, headers, names)] as const;
  const messages = Object.fromEntries(types.flatMap((type) => type.shapes.map((shape) => message(type, shape))));
  return { messages, schemas: names.schemas };
}

export function messageKey({ type }: EventType, { version }: EventShape): string {
  return `${type}.v${version}`;
}

export function describeEventType({ type, resource, name, shapes }: EventType): string {
  if (type === tickType) return "A time of the consumer's schedule has come.";
  const what = {
    created: "created",
    updated: "changed",
    deleted: "deleted; the event has its last state",
    [erased]: "erased: its data was taken out of the service. The event has only its id",
  }[name];
  return what ? `${resource.name} ${what}.` : `${resource.name} ${name}${shapes.at(-1)?.data ? ", with additional data" : ""}.`;
}

function messageOf(type: EventType, shape: EventShape, headers: SchemaReference, names: NamedSchemas): Json {
  const { version } = shape;
  const newest = newestVersion(type);
  return {
    name: type.type,
    title: `${type.type}, version ${version}`,
    summary: summaryOf(type, version, newest),
    contentType: "application/json",
    headers,
    payload: payloadOf(type, shape, names),
    bindings: { amqp: { messageType: type.type, bindingVersion } },
    ...examplesOf(type, shape),
  };
}

function summaryOf(type: EventType, version: number, newest: number): string {
  if (!isPublished(type)) return "No longer published.";
  return version === newest ? describeEventType(type) : `No longer published; replaced by version ${newest}.`;
}

/**
 * Adds the schema of an event and returns a reference to it. The newest version of a record is named `Order`, and its events
 * are named such as `OrderCreated`. The first version of a record that has changed since is named `OrderV1`.
 */
function payloadOf(type: EventType, { version, record, data }: EventShape, names: NamedSchemas): SchemaReference {
  const { resource, name, steps } = type;
  const title = titleOf(resource.name);
  const event = title + titleOf(name);
  const suffix = (is: number, newest: number) => (is === newest ? "" : `V${is}`);
  // The record and the data have independent versions. The event has a new version with each of theirs.
  const generation = (isRecord: boolean, of = steps.length) =>
    1 + steps.slice(0, of).filter((step) => (step.event === undefined) === isRecord).length;
  const ofRecord = suffix(generation(true, version - 1), generation(true));
  const ofData = suffix(generation(false, version - 1), generation(false));
  const own = {
    [resource.name]: names.add(name === erased || type.type === tickType ? `${event}Record` : title + ofRecord, documented(record)),
    ...(data && { data: names.add(`${event}Data${ofData}`, documented(data)) }),
  };
  const { id, timestamp, actor, cause, depth } = documented(envelopeSchema).properties;
  return names.add(event + suffix(version, newestVersion(type)), {
    type: "object",
    properties: {
      id,
      type: { type: "string", const: type.type },
      version: { type: "integer", const: version },
      ...own,
      timestamp,
      actor,
      cause,
      depth,
    },
    required: ["id", "type", "version", ...Object.keys(own), "timestamp"],
  });
}

function examplesOf(type: EventType, shape: EventShape): Json {
  const own = exampleBody(type, shape);
  if (!own) return {};
  const event = { id: "019ab790-8c6e-7000-a9c7-a7d37be9ec58", type: type.type, timestamp: "2026-02-18T18:23:45.123Z" };
  const payload = { id: event.id, type: event.type, version: shape.version, ...own, timestamp: event.timestamp, actor: "ada" };
  const sent = toMessage({ ...event, position: 1, subject: 1, body: JSON.stringify(payload), traceparent: null }, type.resource.exchange);
  return { examples: [{ name: `${type.name}-v${shape.version}`, headers: sent.options.headers, payload }] };
}

const cloudEvents = (about: string) => ({ type: "string", description: `CloudEvents 1.0: ${about}` });
const headersSchema = {
  type: "object",
  properties: {
    "cloudEvents:specversion": { type: "string", const: "1.0" },
    "cloudEvents:id": cloudEvents("id of the event, also in `messageId` and in the body."),
    "cloudEvents:type": cloudEvents("event type, also the routing key."),
    "cloudEvents:source": cloudEvents("name of the resource."),
    "cloudEvents:subject": cloudEvents("id of the record."),
    "cloudEvents:time": { ...cloudEvents("time of the change."), format: "date-time" },
    traceparent: { type: "string", description: "W3C trace context of the request that made the change, if it had one." },
    "x-replay": { type: "boolean", description: "true on a replayed event." },
    "x-redriven": { type: "boolean", description: "true on a redriven dead letter." },
    "x-replay-forced": { type: "boolean", description: "true on an event that consumers handle again even if they already have." },
  },
  required: ["specversion", "id", "type", "source", "subject", "time"].map((name) => `cloudEvents:${name}`),
};
