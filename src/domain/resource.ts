import { type Static, type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { checkFilters, type Filters, type FiltersFor } from "./filter";
import { countingCodePoints } from "./text";

/** What happened to a resource: the second half of an event type (`item.created`). */
export const changes = ["created", "updated", "deleted"] as const;
export type Change = (typeof changes)[number];

/** The keys that the service itself fills in; a resource's own fields stand between `id` and `version`. */
const identity = { id: Type.Integer({ minimum: 1 }) };
const history = {
  version: Type.Integer({ minimum: 1, description: "Counts the changes to this record, from 1." }),
  createdAt: Type.String({ description: "ISO 8601, UTC." }),
  updatedAt: Type.String({ description: "ISO 8601, UTC." }),
};

export interface ResourceOptions<Name extends string, Plural extends string, Properties extends TProperties, By extends Filters> {
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
}

/** A kind of thing with CRUD over HTTP, and everything that is derived from its schema. */
export interface Resource<
  Name extends string = string,
  Plural extends string = string,
  Fields extends object = object,
  By extends Filters = Filters,
> {
  readonly kind: "warren.resource";
  readonly name: Name;
  readonly plural: Plural;
  readonly exchange: string;
  /** The queue that every event of this resource goes to. */
  readonly queue: string;
  readonly eventTypes: readonly `${Name}.${Change}`[];
  /** The schema of what a client may set. */
  readonly fields: TObject;
  /** The schema of the whole record as it is stored, answered and sent in events. */
  readonly record: TObject;
  readonly filters: By;
  /** The filters that have an index. */
  readonly indexes: readonly string[];
  readonly example: Fields;
}

export type FieldsOf<R extends Resource> = R extends Resource<string, string, infer Fields> ? Fields : never;

/** The whole record with these fields. */
export type Recorded<Fields> = { id: number } & Fields & { version: number; createdAt: string; updatedAt: string };

/** The type of a resource's record: `RecordOf<typeof item>`. */
export type RecordOf<R extends Resource> = Recorded<FieldsOf<R>>;

/** A field that may be null, and is null when a client leaves it out. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()], { default: null });
}

/**
 * Declares a resource. Export the result from a file in `src/domain/`, and mount it with `crud()` from a file in `routes/`.
 *
 * @throws {TypeError} when the name cannot be used as an event type, a queue and a table, or a field not as a filter.
 */
export function defineResource<
  const Name extends string,
  Properties extends TProperties,
  const Plural extends string = `${Name}s`,
  const By extends Filters & FiltersFor<Static<TObject<Properties>>> = Record<never, never>,
>(options: ResourceOptions<Name, Plural, Properties, By>): Resource<Name, Plural, Static<TObject<Properties>>, By> {
  const { name, plural = `${name}s` as Plural, exchange = "events", filters = {} as By, indexes = [], example } = options;
  const fields = countingCodePoints(Type.Object<TProperties>(options.fields)).properties;
  for (const word of [name, plural]) {
    if (!/^[a-z][a-z0-9_]{0,40}$/.test(word) || reserved.has(word)) {
      throw new TypeError(
        `"${word}" cannot name a resource: use lower-case letters, digits and _ (at most 41, a letter first), such as "order"; ` +
          `taken are ${[...reserved].join(", ")}.`,
      );
    }
  }
  for (const field of Object.keys(fields)) {
    if (field in identity || field in history) {
      throw new TypeError(`Resource "${name}": the field "${field}" is filled in by the service; give yours another name.`);
    }
  }
  checkFilters(name, fields, filters, indexes);
  return {
    kind: "warren.resource",
    name,
    plural,
    exchange,
    queue: `${name}_events`,
    eventTypes: changes.map((change) => `${name}.${change}` as const),
    fields: Type.Object<TProperties>(fields, { additionalProperties: false }),
    // Said outright: a newer program may send more, and Elysia sets what is not said to false, in this very object.
    record: Type.Object<TProperties>({ ...identity, ...fields, ...history }, { additionalProperties: true }),
    filters,
    indexes,
    example,
  };
}

/** Keys of the event body and of a bulk answer, and tables of the store. */
const reserved = new Set([
  ...["id", "type", "version", "timestamp"],
  ...["line", "index", "status", "problem"],
  ...["event", "events", "meta", "relay", "subscriptions", "idempotency_keys"],
]);
