import { Type } from "@sinclair/typebox";
import type { Catalogue } from "./catalogue";
import { listMistakes, mistakesIn } from "./check";
import { ConversionFailed, convert, mistakeIn } from "./convert";
import { inexact } from "./exact-json";
import { isDeeperThan, maxEventDepth, tooDeep } from "./json-depth";
import type { PastVersion } from "./past-version";
import type { Recorded } from "./record";
import type { Change, EventData, Resource, ResourceTypes } from "./resource";
import { UtcTime } from "./time";

/** The properties that events of all resources have. */
export interface Event {
  /** UUIDv7 (RFC 9562): unique, and ordered by time. It is the same at every delivery of the event. */
  readonly id: string;
  /** Event type: the resource and what happened, such as `item.created`. */
  readonly type: string;
  /** Version of the event type's schema that this event matches, from 1. */
  readonly version: number;
  /** Time of the change: RFC 3339 in UTC. */
  readonly timestamp: string;
  /** Who made the change: the subject of the request's identity. Undefined for the service itself, and for an API without tokens. */
  readonly actor?: string;
  /** The id of the event whose handler made the change. Undefined if no handler did. */
  readonly cause?: string;
  /** Number of events that led to this one, each caused by the one before, from 1. Undefined if it has no cause. */
  readonly depth?: number;
}

/** The versions that a consumer asks for, by event type. It gets the newest version of all other types. */
export type AskedVersions = Readonly<Partial<Record<string, number>>>;

/**
 * Union of all events of a resource, discriminated by `type`. Each has the record under the resource's name
 * (`EventOf<typeof item>` has `event.item`). Custom events also have `data`.
 *
 * `Asked` is an optional map from event types to versions, such as `{ "item.created": 1 }`. Those events have the shape of that
 * version. Default: the newest version of every type.
 */
export type EventOf<R extends Resource, Asked extends AskedVersions = Record<never, never>> =
  R extends Resource<infer T>
    ? {
        [Each in EventName<T>]: OneEvent<T["name"], Each, T["shown"], T["events"], AskedSteps<Asked, T["name"], Each, T["past"]>>;
      }[EventName<T>]
    : never;

type EventName<T extends ResourceTypes> = Change | (keyof T["events"] & string);

type OneEvent<Name extends string, Each extends string, Fields, Data extends EventData, Steps> = Event & {
  readonly type: `${Name}.${Each}`;
} & { readonly [key in Name]: Recorded<FirstOf<Steps, undefined, Fields>> } & (Each extends Change
    ? unknown
    : { readonly data: FirstOf<Steps, Each, Data[Each]> });

/** The conversions from the requested version to the newest one. Empty if no version is requested. */
type AskedSteps<Asked extends AskedVersions, Name extends string, Each extends string, Past> =
  Asked extends Readonly<Record<`${Name}.${Each}`, infer Version extends number>> ? Drop<StepsOf<Past, Each>, Version> : [];

type StepsOf<Past, Each extends string> = Past extends readonly [infer First, ...infer Rest]
  ? First extends PastVersion<object, Each | undefined>
    ? [First, ...StepsOf<Rest, Each>]
    : StepsOf<Rest, Each>
  : [];

type Drop<
  Steps extends readonly unknown[],
  Version extends number,
  Count extends readonly unknown[] = [unknown],
> = Count["length"] extends Version
  ? Steps
  : Steps extends readonly [unknown, ...infer Rest]
    ? Drop<Rest, Version, [...Count, unknown]>
    : [];

/** The fields of the record (or data) before the first of these conversions that changes it. If none does, the newest fields. */
type FirstOf<Steps, Of, Newest> = Steps extends readonly [infer First, ...infer Rest]
  ? First extends PastVersion<infer Fields, infer Changed>
    ? [Changed] extends [Of]
      ? Fields
      : FirstOf<Rest, Of, Newest>
    : Newest
  : Newest;

/**
 * The event that a record was erased. It has nothing of the record but its id. Patterns such as `customer.*` do not select it, since the
 * record has no fields: a consumer names it.
 */
export type ErasedEvent<Name extends string = string> = Event & { readonly type: `${Name}.erased` } & {
  readonly [key in Name]: { readonly id: number };
};

/** Reasons why a message is not an event that this program can handle. */
export const unreadableReasons = [
  "encoded",
  "too-large",
  "not-json",
  "not-an-event",
  "unknown-type",
  "unknown-version",
  "invalid",
  "upcast-failed",
  "downcast-failed",
] as const;
export type Unreadable = (typeof unreadableReasons)[number];
/** Result of {@link parseEvent}. */
export type Parsed =
  | { readonly ok: true; readonly event: Event; readonly resource: Resource; readonly record: { readonly id: number } }
  | { readonly ok: false; readonly reason: Unreadable; readonly detail: string };

/** Maximum size of a message body, in bytes. */
export const maxEventBytes = 4 * 1024 * 1024;

/** Schema of the properties that every event has, whatever its type and version. */
export const envelopeSchema = Type.Object({
  id: Type.String({
    minLength: 1,
    maxLength: 200,
    description: "1 to 200 characters. A UUIDv7, the same for every delivery of the event.",
  }),
  type: Type.String({ minLength: 1, maxLength: 200 }),
  version: Type.Integer({ minimum: 1, description: "An integer from 1: the version of this event type." }),
  timestamp: UtcTime("Time of the change."),
  actor: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: "1 to 255 characters: who made the change." })),
  cause: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "The id of the event whose handler made the change." })),
  depth: Type.Optional(
    Type.Integer({ minimum: 1, description: "An integer from 1: the number of events that led to this one. Absent without a `cause`." }),
  ),
});
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Returns the name of the resource in an event type: `item` for `item.created`. */
export function resourceName(type: string): string {
  return type.slice(0, type.lastIndexOf("."));
}

/**
 * Returns the JSON body of an event that contains a serialized record. The order of the keys is part of the contract.
 *
 * @param data data of a custom event.
 */
export function serializeEvent(event: Event, resource: string, recordJson: string, data?: object): string {
  return (
    `{"id":"${event.id}","type":"${event.type}","version":${event.version},` +
    `"${resource}":${recordJson},${data ? `"data":${JSON.stringify(data)},` : ""}"timestamp":"${event.timestamp}"` +
    `${event.actor === undefined ? "" : `,"actor":${JSON.stringify(event.actor)}`}` +
    `${event.cause === undefined ? "" : `,"cause":${JSON.stringify(event.cause)},"depth":${event.depth}`}}`
  );
}

export interface ReadOptions {
  /** Versions to convert events to, by event type. Default: the newest of each type. */
  readonly versions?: AskedVersions;
  /** The publisher's `content_encoding` in AMQP. Default: none. */
  readonly encoding?: string | undefined;
}

/** Encodings that leave the body as plain text. Celery and Spring send the name of the charset. */
const plainEncoding = /^(identity|utf-?8)?$/i;

/**
 * Reads an event from the body of a message. Converts it to the newest version of its type, or to the requested one.
 *
 * Validates it as strictly as a request: for example, it must have no duplicate keys, no numbers that a double would round and no
 * invalid times. Keeps unknown properties, so that a newer publisher does not break an older consumer.
 *
 * Returns the reason if the message is not readable. Does not throw.
 */
export function parseEvent(body: Uint8Array | string, catalogue: Catalogue, { versions = {}, encoding = "" }: ReadOptions = {}): Parsed {
  if (!plainEncoding.test(encoding))
    return unreadable("encoded", `unsupported content_encoding "${encoding.slice(0, 50)}"; send the event as uncompressed JSON in UTF-8`);
  const bytes = bytesIn(body);
  if (bytes > maxEventBytes) return unreadable("too-large", `the event has ${bytes} bytes; the maximum is ${maxEventBytes}`);
  let text: string;
  let value: unknown;
  try {
    text = typeof body === "string" ? body : utf8.decode(body);
    if (isDeeperThan(maxEventDepth, text)) return unreadable("not-json", tooDeep(maxEventDepth));
    value = JSON.parse(text);
  } catch (error) {
    return unreadable("not-json", error instanceof Error ? error.message : String(error));
  }
  const inEnvelope = mistakesIn(envelopeSchema, value);
  if (inEnvelope.length > 0) return unreadable("not-an-event", listMistakes(inEnvelope));
  const read = value as Event & Record<string, unknown>;

  const type = catalogue.eventType(read.type);
  if (!type) return unreadable("unknown-type", `unknown event type "${read.type}"; known: ${catalogue.eventTypes.join(", ")}`);
  const { resource, shapes } = type;
  if (read.version > shapes.length) {
    const known = shapes.length === 1 ? "version 1" : `versions 1 to ${shapes.length}`;
    return unreadable("unknown-version", `unknown version ${read.version} of ${read.type}; this program reads ${known}`);
  }
  const notExact = inexact(text, value);
  const mistake = notExact.length > 0 ? listMistakes(notExact) : mistakeIn(type, read);
  if (mistake !== undefined) return unreadable("invalid", mistake);
  try {
    const event = convert(type, read, versions[type.type] ?? shapes.length);
    return { ok: true, event, resource, record: event[resource.name] as { id: number } };
  } catch (error) {
    if (error instanceof ConversionFailed) return unreadable(error.reason, error.message);
    throw error;
  }
}

/** Returns the length in bytes of UTF-8. For a string that is short enough in any case, returns its number of UTF-16 units. */
function bytesIn(body: Uint8Array | string): number {
  return typeof body === "string" && body.length > maxEventBytes / 3 ? Buffer.byteLength(body) : body.length;
}

function unreadable(reason: Unreadable, detail: string): Parsed {
  return { ok: false, reason, detail };
}
