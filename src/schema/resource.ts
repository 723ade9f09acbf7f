import { type Static, type TObject, type TProperties, type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { listMistakes, mistakesIn } from "./check";
import { checkable } from "./checkable";
import { checkFilters, type Filters, type FiltersFor } from "./filter";
import type { PastVersion } from "./past-version";
import { isFilledIn, type Recorded, recordOf } from "./record";

/** The kinds of change that publish an event. They are the second part of an event type, such as `item.created`. */
export const changes = ["created", "updated", "deleted"] as const;
export type Change = (typeof changes)[number];

/** The data of a resource's custom events, by name. */
export type EventData = Record<string, object>;

export interface ResourceOptions<
  Name extends string,
  Plural extends string,
  Properties extends TProperties,
  By extends Filters,
  Events extends Record<string, TProperties>,
  Past extends readonly PastVersion[],
> {
  /** Singular, lower case: `order`. Names the events (`order.created`), the queue (`order_events`) and the key in the event body. */
  name: Name;
  /** Names the table and the key of a list response. Default: the name with an `s`. */
  plural?: Plural;
  /** The topic exchange that receives its events. Default: `events`. */
  exchange?: string;
  /** The fields that clients may set. A field that allows null, or has a default, may be omitted. */
  fields: Properties;
  /** The fields by which a list can be filtered, and how: `{ name: "prefix", price: "range" }`. Default: none. */
  filters?: By;
  /**
   * The filters that get an index, for filters that match few of many records. The next start creates or drops indexes. Each
   * index slows down every write. Without one, each page searches a bounded number of records. Default: none.
   */
  indexes?: readonly (keyof By & string)[];
  /** A valid request body, shown in the documentation. */
  example: Static<TObject<Properties>>;
  /** Custom events, with the fields of their `data`: `{ shipped: { carrier: Type.String() } }`. Default: none. */
  events?: Events;
  /** Earlier versions of the schemas, oldest first. Default: none. */
  past?: Past;
}

/** A type of record with CRUD over HTTP, and all that is derived from its schema. */
export interface Resource<
  Name extends string = string,
  Plural extends string = string,
  Fields extends object = object,
  By extends Filters = Filters,
  Data extends EventData = EventData,
  Past extends readonly PastVersion[] = readonly PastVersion[],
> {
  readonly kind: "warren.resource";
  readonly name: Name;
  readonly plural: Plural;
  /** The topic exchange that receives its events. */
  readonly exchange: string;
  /** The shared queue that receives all events of this resource. */
  readonly queue: string;
  /** All event types of this resource, such as `item.created`. */
  readonly eventTypes: readonly `${Name}.${Change | (keyof Data & string)}`[];
  /** Schema of the fields that clients may set. */
  readonly fields: TObject;
  /** Schema of the whole record as stored, returned in responses and sent in events. */
  readonly record: TObject;
  /** The fields by which a list can be filtered, and how. */
  readonly filters: By;
  /** The fields whose filter has an index. */
  readonly indexes: readonly string[];
  /** A valid request body. */
  readonly example: Fields;
  /** Schemas of the data of its custom events, by name. */
  readonly events: { readonly [Event in keyof Data]: TUnsafe<Data[Event]> };
  /** Earlier versions of the schemas, oldest first. */
  readonly past: Past;
}

/** The type of the fields that clients may set: `FieldsOf<typeof item>`. */
export type FieldsOf<R extends Resource> = R extends Resource<string, string, infer Fields> ? Fields : never;

/** The type of a resource's whole record, with `id`, `version`, `createdAt` and `updatedAt`: `RecordOf<typeof item>`. */
export type RecordOf<R extends Resource> = Recorded<FieldsOf<R>>;

/** Returns a schema for a field that may be null. Clients may omit the field, which is then null. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()], { default: null });
}

/**
 * Declares a resource. Export the result from a file in `src/domain/`, and mount it with `crud()` in a file in `routes/`.
 *
 * @throws {TypeError} if a name cannot name an event type, queue or table, or a field is one that the service sets. Also if a
 *   filter or index is not possible, a schema is not valid for JSON or has an unknown format, the example is not a valid
 *   request, or a past version is of an unknown event.
 */
export function defineResource<
  const Name extends string,
  Properties extends TProperties,
  const Plural extends string = `${Name}s`,
  const By extends Filters & FiltersFor<Static<TObject<Properties>>> = Record<never, never>,
  Events extends Record<string, TProperties> = Record<never, never>,
  const Past extends readonly PastVersion[] = readonly [],
>(
  options: ResourceOptions<Name, Plural, Properties, By, Events, Past>,
): Resource<Name, Plural, Static<TObject<Properties>>, By, { [Event in keyof Events]: Static<TObject<Events[Event]>> }, Past> {
  const { name, plural = `${name}s` as Plural, exchange = "events", filters = {} as By, indexes = [], example } = options;
  const { events = {} as Events, past = [] as never } = options;
  const refuse = (what: string): never => {
    throw new TypeError(`Resource "${name}": ${what}`);
  };
  for (const word of [name, plural]) {
    if (!isWord(word) || reserved.has(word)) {
      throw new TypeError(
        `Invalid resource name "${word}". Use lower-case letters, digits and _ (at most 41, a letter first), such as "order". ` +
          `Reserved: ${[...reserved].join(", ")}.`,
      );
    }
  }
  for (const field of [
    options.fields,
    ...past.filter(({ event }) => event === undefined).map((version) => version.fields.properties),
  ].flatMap(Object.keys)) {
    if (isFilledIn(field)) {
      refuse(`the field name "${field}" is reserved, because the service sets it; use another name.`);
    }
  }
  for (const event of Object.keys(events)) {
    if (isWord(event) && !changes.some((change) => change === event)) continue;
    refuse(`invalid event name "${event}"; use lower-case letters, digits and _, such as "shipped". Reserved: ${changes.join(", ")}.`);
  }
  for (const { event } of past) {
    if (event === undefined || event in events) continue;
    refuse(`a past version names the event "${event}", which is not declared in \`events\`.`);
  }
  const closed = (properties: TProperties, what: string) =>
    checkable(Type.Object(properties, { additionalProperties: false }), `Resource "${name}": ${what}`) as TObject;
  const fields = closed(options.fields, "the field");
  const data = Object.entries(events).map(([event, properties]) => [
    event,
    closed(properties, `in the data of the event "${event}", the field`),
  ]);
  checkFilters(name, fields.properties, filters, indexes);
  const mistakes = mistakesIn(fields, example);
  if (mistakes.length > 0) refuse(`the example is not valid: ${listMistakes(mistakes)}`);
  return {
    kind: "warren.resource",
    name,
    plural,
    exchange,
    queue: `${name}_events`,
    eventTypes: [...changes, ...Object.keys(events)].map((event) => `${name}.${event}` as `${Name}.${Change}`),
    fields,
    record: recordOf(fields.properties),
    filters,
    indexes,
    example,
    events: Object.fromEntries(data) as never,
    past,
  };
}

function isWord(word: string): boolean {
  return /^[a-z][a-z0-9_]{0,40}$/.test(word);
}

/** Names in use as keys of event bodies and of bulk responses, and as tables of the store. */
const reserved = new Set([
  ...["id", "type", "version", "timestamp", "data"],
  ...["line", "index", "status", "problem"],
  ...["event", "events", "meta", "relay", "subscriptions", "idempotency_keys", "retry_queues", "relay_times"],
]);
