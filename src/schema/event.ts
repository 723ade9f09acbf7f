import { Type } from "@sinclair/typebox";
import type { Catalogue } from "./catalogue";
import { listMistakes, mistakesIn } from "./check";
import { ConversionFailed, convert, mistakeIn } from "./convert";
import { inexact } from "./exact-json";
import type { Filters } from "./filter";
import { isDeeperThan, maxEventDepth, tooDeep } from "./json-depth";
import type { PastVersion } from "./past-version";
import type { Recorded } from "./record";
import type { Change, EventData, Resource } from "./resource";
import { UtcTime } from "./time";

/** An event of any resource: what a consumer that serves them all can rely on. */
export interface Event {
  /** UUIDv7 (RFC 9562): unique, and in the order of time. */
  readonly id: string;
  readonly type: string;
  /** The version of this event type whose shape the event has. */
  readonly version: number;
  /** When the change was made: RFC 3339 in UTC. */
  readonly timestamp: string;
}

/** The versions that a consumer asks for, by event type; of any other it gets the newest. */
export type AskedVersions = Readonly<Partial<Record<string, number>>>;

/**
 * Every event of a resource, to be told apart by `type`. It has the record under the resource's own name
 * (`EventOf<typeof item>` has `event.item`), and a custom one its `data`.
 */
export type EventOf<R extends Resource, Asked extends AskedVersions = Record<never, never>> =
  R extends Resource<infer Name, string, infer Fields, Filters, infer Data, infer Past>
    ? { [Each in Change | (keyof Data & string)]: OneEvent<Name, Each, Fields, Data, AskedSteps<Asked, Name, Each, Past>> }[
        | Change
        | (keyof Data & string)]
    : never;

type OneEvent<Name extends string, Each extends string, Fields, Data extends EventData, Steps> = Event & {
  readonly type: `${Name}.${Each}`;
} & { readonly [key in Name]: Recorded<FirstOf<Steps, undefined, Fields>> } & (Each extends Change
    ? unknown
    : { readonly data: FirstOf<Steps, Each, Data[Each]> });

/** What still leads from the version that is asked for to the newest one; nothing unless one is. */
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

/** The next change of the record, or of the data, says what that was before; without one it was as it is now. */
type FirstOf<Steps, Of, Newest> = Steps extends readonly [infer First, ...infer Rest]
  ? First extends PastVersion<infer Fields, infer Changed>
    ? [Changed] extends [Of]
      ? Fields
      : FirstOf<Rest, Of, Newest>
    : Newest
  : Newest;

/** Why a message is not an event that this program can handle. */
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
export type Parsed =
  | { readonly ok: true; readonly event: Event; readonly resource: Resource; readonly record: { readonly id: number } }
  | { readonly ok: false; readonly reason: Unreadable; readonly detail: string };

/** The largest message body that is parsed, in bytes. */
export const maxEventBytes = 4 * 1024 * 1024;

/** The part that every event has, whatever its type and version. */
export const envelopeSchema = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 200, description: "1 to 200 characters: a UUIDv7, the same at every delivery." }),
  type: Type.String({ minLength: 1, maxLength: 200 }),
  version: Type.Integer({ minimum: 1, description: "An integer from 1: the version of this event type." }),
  timestamp: UtcTime("When the change was made."),
});
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Splits `item.created` at its last dot. */
export function resourceName(type: string): string {
  return type.slice(0, type.lastIndexOf("."));
}

/**
 * Builds the JSON body of an event around a record that is JSON already. The order of the keys is part of the contract.
 *
 * @param data of a custom event.
 */
export function serializeEvent(event: Event, resource: string, recordJson: string, data?: object): string {
  return (
    `{"id":"${event.id}","type":"${event.type}","version":${event.version},` +
    `"${resource}":${recordJson},${data ? `"data":${JSON.stringify(data)},` : ""}"timestamp":"${event.timestamp}"}`
  );
}

export interface ReadOptions {
  /** Default: the newest of each event type. */
  readonly versions?: AskedVersions;
  /** What the publisher says of the body's encoding: `content_encoding` of AMQP. Default: nothing. */
  readonly encoding?: string | undefined;
}

/** What says no more of a body than that it is text. Celery and Spring send the name of the charset. */
const plainEncoding = /^(identity|utf-?8)?$/i;

/**
 * Reads an event from the bytes of a message, and brings it to the newest version of its type, or to the one that is
 * asked for. A message is refused for the same reasons as a request: what a `number` would round, a key that is there
 * twice, a time that is none. Properties that the schema does not know are kept, so that a newer publisher does not break
 * an older consumer. Never throws.
 */
export function parseEvent(body: Uint8Array | string, catalogue: Catalogue, { versions = {}, encoding = "" }: ReadOptions = {}): Parsed {
  if (!plainEncoding.test(encoding))
    return unreadable("encoded", `content_encoding is "${encoding.slice(0, 50)}"; send the event as plain JSON in UTF-8`);
  const bytes = bytesIn(body);
  if (bytes > maxEventBytes) return unreadable("too-large", `${bytes} bytes; at most ${maxEventBytes} are read`);
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
  if (!type) return unreadable("unknown-type", `"${read.type}" is none of ${catalogue.eventTypes.join(", ")}`);
  const { resource, shapes } = type;
  if (read.version > shapes.length) {
    const known = shapes.length === 1 ? "version 1" : `versions 1 to ${shapes.length}`;
    return unreadable("unknown-version", `${read.type} version ${read.version}; this program reads ${known}`);
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

/** The length in UTF-8; of a text that cannot be too long, its characters. */
function bytesIn(body: Uint8Array | string): number {
  return typeof body === "string" && body.length > maxEventBytes / 3 ? Buffer.byteLength(body) : body.length;
}

function unreadable(reason: Unreadable, detail: string): Parsed {
  return { ok: false, reason, detail };
}
