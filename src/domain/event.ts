import { type TSchema, Type } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import type { Catalogue } from "./catalogue";
import type { Change, RecordOf, Resource } from "./resource";

/** The schema version of the events that this program writes. */
export const eventVersion = 1;

/** An event of any resource: what a consumer that serves them all can rely on. */
export interface Event {
  /** UUIDv7 (RFC 9562): unique, and in the order of time. */
  readonly id: string;
  readonly type: string;
  /** The schema version of this event type. */
  readonly version: number;
  /** When the change was made, ISO 8601 in UTC. */
  readonly timestamp: string;
}

/** An event with its record under the resource's own name: `EventOf<typeof item>` has `event.item`. */
export type EventOf<R extends Resource> =
  R extends Resource<infer Name> ? Event & { readonly type: `${Name}.${Change}` } & { readonly [key in Name]: RecordOf<R> } : never;

/** Why a message is not an event that this program can handle. */
export type Unreadable = "too-large" | "not-json" | "not-an-event" | "unknown-type" | "unknown-version" | "invalid";
export type Parsed =
  | { readonly ok: true; readonly event: Event; readonly resource: Resource; readonly record: { readonly id: number } }
  | { readonly ok: false; readonly reason: Unreadable; readonly detail: string };

/** The largest message body that is parsed, in bytes. */
export const maxEventBytes = 4 * 1024 * 1024;

const envelope = TypeCompiler.Compile(
  Type.Object({
    id: Type.String({ minLength: 1, maxLength: 200 }),
    type: Type.String({ minLength: 1, maxLength: 200 }),
    version: Type.Integer({ minimum: 1 }),
    timestamp: Type.String(),
  }),
);

const records = new WeakMap<Resource, TypeCheck<TSchema>>();
function recordCheck(resource: Resource): TypeCheck<TSchema> {
  const known = records.get(resource);
  if (known) return known;
  const check = TypeCompiler.Compile<TSchema>(resource.record);
  records.set(resource, check);
  return check;
}

/** Splits `item.created` at its last dot. */
export function resourceName(type: string): string {
  return type.slice(0, type.lastIndexOf("."));
}

/** Builds the JSON body of an event around a record that is JSON already. The order of the keys is part of the contract. */
export function serializeEvent(event: Event, resource: string, recordJson: string): string {
  return (
    `{"id":"${event.id}","type":"${event.type}","version":${event.version},` +
    `"${resource}":${recordJson},"timestamp":"${event.timestamp}"}`
  );
}

/**
 * Reads an event from the bytes of a message. Properties that the schema does not know are kept, so that a newer
 * publisher does not break an older consumer. Never throws.
 */
export function parseEvent(body: Uint8Array | string, catalogue: Catalogue): Parsed {
  if (body.length > maxEventBytes) return unreadable("too-large", `${body.length} bytes; at most ${maxEventBytes} are read`);
  let value: unknown;
  try {
    value = JSON.parse(typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    return unreadable("not-json", error instanceof Error ? error.message : String(error));
  }
  if (!envelope.Check(value)) return unreadable("not-an-event", firstMistake(envelope, value));

  const resource = catalogue.resourceOf(value.type);
  if (!resource) return unreadable("unknown-type", `"${value.type}" is none of ${catalogue.eventTypes.join(", ")}`);
  if (value.version !== eventVersion) {
    return unreadable("unknown-version", `${value.type} version ${value.version}; this program reads version ${eventVersion}`);
  }
  const record = (value as Record<string, unknown>)[resource.name];
  const check = recordCheck(resource);
  if (!check.Check(record)) return unreadable("invalid", `/${resource.name}${firstMistake(check, record)}`);
  return { ok: true, event: value, resource, record: record as { id: number } };
}

function unreadable(reason: Unreadable, detail: string): Parsed {
  return { ok: false, reason, detail };
}

function firstMistake(check: TypeCheck<TSchema>, value: unknown): string {
  const mistake = check.Errors(value).First();
  return mistake ? `${mistake.path}: ${mistake.message}` : "does not match its schema";
}
