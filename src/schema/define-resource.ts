import { type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { type AccessFields, accessFields, accessOf } from "./access";
import { listMistakes, mistakesInOne } from "./check";
import { checkable } from "./checkable";
import { completeFields } from "./complete-fields";
import { checkFilters, type Filters } from "./filter";
import type { Mistake } from "./mistakes";
import type { PastVersion } from "./past-version";
import { type Shown, shownFields } from "./private";
import { recordOf } from "./record";
import { type References, referencesOf } from "./references";
import { type Change, changes, type Derivation, type Resource, type Rule } from "./resource";
import { checkNames, checkStoredNames } from "./resource-names";
import type { FieldsIn, ResourceOptions } from "./resource-options";
import { checkSearch } from "./search";
import { checkSorts, ownSorts, type Sorts, type SortWord } from "./sort";
import { uniqueKeys } from "./unique";

type None = Record<never, never>;

/**
 * Declares a resource. Export the result from a file in `src/domain/`, and mount it with `crud()` in a file in `routes/`.
 *
 * @throws {TypeError} if a name cannot name an event type, queue or table, or a field is declared twice or is one that every
 *   record has. Also if a filter, index, unique key or reference is not possible, or two of them differ only in case, a schema is not
 *   valid for JSON or has an unknown format, an initial value does not match its schema, the example is not a valid request or a field
 *   cannot be computed from it, or a past version is of an unknown event.
 */
export function defineResource<
  const Name extends string,
  Client extends TProperties,
  const Plural extends string = `${Name}s`,
  Managed extends TProperties = None,
  Derived extends TProperties = None,
  const By extends Filters = None,
  const Refs extends References = None,
  const Orders extends Sorts = readonly [],
  const Words extends readonly string[] = readonly [],
  const Private extends readonly string[] = readonly [],
  const Owner extends string = never,
  const Tenant extends string = never,
  Events extends Record<string, TProperties> = None,
  const Past extends readonly PastVersion[] = readonly [],
>(
  options: ResourceOptions<Name, Plural, Client, Managed, Derived, By, Refs, Orders, Words, Private, Owner, Tenant, Events, Past>,
): Resource<{
  name: Name;
  plural: Plural;
  input: FieldsIn<Client>;
  managed: FieldsIn<Managed & AccessFields<Owner | Tenant>>;
  fields: FieldsIn<Client & Managed & Derived & AccessFields<Owner | Tenant>>;
  shown: Shown<FieldsIn<Client & Managed & Derived & AccessFields<Owner | Tenant>>, Private>;
  filters: By;
  sorts: SortWord<Orders>;
  isSearchable: Words extends readonly [] ? false : true;
  references: Refs;
  events: { [Event in keyof Events]: FieldsIn<Events[Event]> };
  past: Past;
}> {
  const { name, plural = `${name}s` as Plural, exchange = "events", filters = {} as By, indexes = [], example } = options;
  const { sort = [] as never, search = [] as never, events = {} as Events, past = [] as never, check } = options;
  const [managed, derived] = [entries<Managing>(options.managed), entries<Deriving>(options.derived)];
  const access = accessOf(name, options);
  for (const [field, schema] of Object.entries(accessFields(access))) managed.push([field, { schema, initial: null }]);
  const own = { ...schemasOf(managed), ...schemasOf(derived) };
  checkNames({ name, plural, fields: [options.fields, ...[managed, derived].map(schemasOf)], events, past });

  const closed = (properties: TProperties, what: string) =>
    checkable(Type.Object(properties, { additionalProperties: false }), `Resource "${name}": ${what}`) as TObject;
  const input = closed(options.fields, "the field");
  const whole = closed({ ...options.fields, ...own }, "the field");
  const { properties } = whole;
  const hidden = (options.private ?? []) as readonly string[];
  const visible = Type.Object(shownFields(name, properties, hidden, Object.keys(accessFields(access))), { additionalProperties: false });
  const record = recordOf(visible.properties);
  const data = Object.entries(events).map(([event, properties]) => [
    event,
    closed(properties, `in the data of the event "${event}", the field`),
  ]);
  checkFilters(name, visible, filters as By, indexes);
  checkSearch(name, visible, search);
  const resource: Resource = {
    kind: "warren.resource",
    name,
    plural,
    exchange,
    queue: `${name}_events`,
    eventTypes: [...changes, ...Object.keys(events)].map((event) => `${name}.${event}` as `${Name}.${Change}`),
    input,
    // A newer program may have written further fields.
    fields: Type.Object(properties, { additionalProperties: true }),
    record,
    managed: Object.fromEntries(managed.map(([field, { initial }]) => [field, initial])),
    derived: Object.fromEntries(derived.map(([field, { from }]) => [field, from])),
    check: check as Rule | undefined,
    filters: filters as By,
    indexes,
    unique: uniqueKeys(name, visible.properties, options.unique ?? [], access),
    references: referencesOf(name, visible.properties, (options.references ?? {}) as References),
    sorts: checkSorts(name, record, sort),
    search,
    private: hidden,
    access,
    example,
    events: Object.fromEntries(data) as never,
    isRetired: options.retired === true,
    retired: retiredEvents(name, Object.keys(events), options.retired ?? []),
    past,
  };
  const orders = resource.sorts.map((order) => order.join());
  checkStoredNames(
    name,
    "unique key",
    "unique keys",
    resource.unique.map((key) => key.name),
  );
  checkStoredNames(
    name,
    "reference",
    "references",
    resource.references.map(({ path }) => path),
  );
  checkStoredNames(name, "index", "indexes", [...ownSorts, ...indexes, ...orders]);
  refuseMistakes(name, "the example", mistakesInOne(input, example));
  refuseMistakes(name, "the record of the example", mistakesInOne(resource.fields, completeFields(resource, example)));
  return resource as never;
}

/** Returns the names of the events that are no longer published. A record of a retired resource can still be deleted. */
function retiredEvents(name: string, events: readonly string[], retired: true | readonly string[]): readonly string[] {
  if (retired === true) return ["created", "updated", ...events];
  const unknown = retired.find((event) => !events.includes(event));
  if (unknown === undefined) return retired;
  throw new TypeError(
    `Resource "${name}": \`retired\` names "${unknown}", which is not in \`events\`. Keep the declaration of a retired event. ` +
      `Declared: ${events.join(", ") || "none"}.`,
  );
}

interface Managing {
  readonly schema: TSchema;
  readonly initial: unknown;
}
interface Deriving {
  readonly schema: TSchema;
  readonly from: Derivation;
}

/** Object.entries, where the type of the values is known and TypeScript cannot follow it through a generic type. */
function entries<Value>(declared: object | undefined): [string, Value][] {
  return Object.entries(declared ?? {}) as [string, Value][];
}

function schemasOf(declared: readonly (readonly [string, { readonly schema: TSchema }])[]): TProperties {
  return Object.fromEntries(declared.map(([field, { schema }]) => [field, schema]));
}

function refuseMistakes(name: string, what: string, mistakes: readonly Mistake[]): void {
  if (mistakes.length > 0) throw new TypeError(`Resource "${name}": ${what} is not valid: ${listMistakes(mistakes)}`);
}
