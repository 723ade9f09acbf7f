import { type Static, type TObject, type TProperties, type TSchema, type TUnsafe, Type } from "@sinclair/typebox";
import { listMistakes, mistakesIn } from "./check";
import { checkable } from "./checkable";
import { checkFilters, type Filters, type FiltersFor } from "./filter";
import type { PastVersion } from "./past-version";
import { isFilledIn, type Recorded, recordOf } from "./record";

/** What happened to a resource: the second half of an event type (`item.created`). */
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
  /** Names the table and the key of a list answer. Default: the name with an `s`. */
  plural?: Plural;
  /** The topic exchange that its events go to. Default: `events`. */
  exchange?: string;
  /** What a client may set. A field that allows null, or that has a default, may be left out. */
  fields: Properties;
  /** By which fields its list can be filtered, and how: `{ name: "prefix", price: "range" }`. Default: none. */
  filters?: By;
  /**
   * The filters that find few among many. Each is an index, made or dropped at the next start, and slows every write down:
   * a filter without one is read a bounded number of records at a time. Default: none.
   */
  indexes?: readonly (keyof By & string)[];
  /** A valid body, shown in the documentation. */
  example: Static<TObject<Properties>>;
  /** Events beside `created`, `updated` and `deleted`, each with what its `data` has: `{ shipped: { carrier: Type.String() } }`. */
  events?: Events;
  /** What was published before the schemas were changed, the oldest first. Default: nothing else. */
  past?: Past;
}

/** A kind of thing with CRUD over HTTP, and everything that is derived from its schema. */
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
  readonly exchange: string;
  /** The queue that every event of this resource goes to. */
  readonly queue: string;
  readonly eventTypes: readonly `${Name}.${Change | (keyof Data & string)}`[];
  /** The schema of what a client may set. */
  readonly fields: TObject;
  /** The schema of the whole record as it is stored, answered and sent in events. */
  readonly record: TObject;
  readonly filters: By;
  /** The filters that have an index. */
  readonly indexes: readonly string[];
  readonly example: Fields;
  /** The schemas of what its custom events may be given as data, by name. */
  readonly events: { readonly [Event in keyof Data]: TUnsafe<Data[Event]> };
  readonly past: Past;
}

export type FieldsOf<R extends Resource> = R extends Resource<string, string, infer Fields> ? Fields : never;

/** The type of a resource's record: `RecordOf<typeof item>`. */
export type RecordOf<R extends Resource> = Recorded<FieldsOf<R>>;

/** A field that may be null, and is null when a client leaves it out. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()], { default: null });
}

/**
 * Declares a resource. Export the result from a file in `src/domain/`, and mount it with `crud()` from a file in `routes/`.
 *
 * @throws {TypeError} when a name cannot be used as an event type, a queue or a table, a field not as a filter, a schema is not
 *   one of JSON or has an unknown format, the example is not a valid request, or the past does not fit.
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
        `"${word}" cannot name a resource: use lower-case letters, digits and _ (at most 41, a letter first), such as "order"; ` +
          `taken are ${[...reserved].join(", ")}.`,
      );
    }
  }
  for (const field of [
    options.fields,
    ...past.filter(({ event }) => event === undefined).map((version) => version.fields.properties),
  ].flatMap(Object.keys)) {
    if (isFilledIn(field)) {
      refuse(`the field "${field}" is filled in by the service; give yours another name.`);
    }
  }
  for (const event of Object.keys(events)) {
    if (isWord(event) && !changes.some((change) => change === event)) continue;
    refuse(`"${event}" cannot name an event: use lower-case letters, digits and _, such as "shipped"; taken are ${changes.join(", ")}.`);
  }
  for (const { event } of past) {
    if (event === undefined || event in events) continue;
    refuse(`a past version is of the event "${event}", which is none of its own events.`);
  }
  const closed = (properties: TProperties, what: string) =>
    checkable(Type.Object(properties, { additionalProperties: false }), `Resource "${name}": ${what}`) as TObject;
  const fields = closed(options.fields, "the field");
  const data = Object.entries(events).map(([event, properties]) => [event, closed(properties, `in the data of the event "${event}",`)]);
  checkFilters(name, fields.properties, filters, indexes);
  const mistakes = mistakesIn(fields, example);
  if (mistakes.length > 0) refuse(`its example is not valid: ${listMistakes(mistakes)}`);
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

/** Keys of the event body and of a bulk answer, and tables of the store. */
const reserved = new Set([
  ...["id", "type", "version", "timestamp", "data"],
  ...["line", "index", "status", "problem"],
  ...["event", "events", "meta", "relay", "subscriptions", "idempotency_keys", "retry_queues", "relay_times"],
]);
