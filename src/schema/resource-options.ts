import type { Static, TObject, TProperties } from "@sinclair/typebox";
import type { AccessFields, TenantScope } from "./access";
import type { FilterFor, Filters } from "./filter";
import type { PastVersion } from "./past-version";
import type { ReferenceFor, References } from "./references";
import type { Derivation, Rule } from "./resource";
import type { SearchFor } from "./search";
import type { SortFor, Sorts } from "./sort";
import type { UniqueField, UniqueOption } from "./unique";

/** The fields of these schemas as one type, so that error messages and editors show fields and not how they were put together. */
export type FieldsIn<Properties extends TProperties> = Flat<Static<TObject<Properties>>>;
/** The given type if it fits, or else what would fit. The compiler's message then names the latter. */
type Fitting<Given, Expected> = Given extends Expected ? Given : Expected;
type Flat<T> = { [Key in keyof T]: T[Key] };

export interface ResourceOptions<
  Name extends string,
  Plural extends string,
  Client extends TProperties,
  Managed extends TProperties,
  Derived extends TProperties,
  By extends Filters,
  Refs extends References,
  Orders extends Sorts,
  Words extends readonly string[],
  Private extends readonly string[],
  Owner extends string,
  Tenant extends string,
  Events extends Record<string, TProperties>,
  Past extends readonly PastVersion[],
> {
  /** Singular, lower case: `order`. Names the events (`order.created`), the queue (`order_events`) and the key in the event body. */
  name: Name;
  /** Names the table and the key of a list response. Default: the name with an `s`. */
  plural?: Plural;
  /** The topic exchange that receives its events. Default: `events`. */
  exchange?: string;
  /** The fields that clients set. A field that allows null, or has a default, may be omitted. */
  fields: Client;
  /**
   * Fields that clients see but cannot set, such as a state: `{ state: { schema: oneOf("open", "paid"), initial: "open" } }`. Code of
   * the service sets them. A new record has the initial value. Default: none.
   */
  managed?: { readonly [Field in keyof Managed]: { readonly schema: Managed[Field]; readonly initial: Static<Managed[Field]> } };
  /**
   * Fields that the service computes from the other fields at every change:
   * `{ total: { schema: Type.Number(), from: ({ price, quantity }) => price * quantity } }`. `from` must be pure and must not be
   * async. Default: none.
   */
  derived?: {
    readonly [Field in keyof Derived]: {
      readonly schema: Derived[Field];
      readonly from: Derivation<FieldsIn<NoInfer<Client & Managed & AccessFields<Owner | Tenant>>>, Static<Derived[Field]>>;
    };
  };
  /**
   * A rule that a schema cannot express. It gets the record that is about to be written and returns its mistakes, or an empty
   * array. It applies to every way to create or change a record, but not to a change that changes nothing, to stored records or
   * to deletion. It must be pure and must not be async. If it throws, nothing changes and the response is a 500. Default: none.
   */
  check?: Rule<FieldsIn<NoInfer<Client & Managed & Derived & AccessFields<Owner | Tenant>>>>;
  /**
   * The fields by which a list can be filtered, and how: `{ state: "exact", price: ["exact", "range"], name: "prefix", tags: "contains" }`.
   * A field inside of an object has a path: `"address.city"`. Default: none.
   */
  filters?: {
    readonly [Field in keyof By]: Fitting<
      By[Field],
      FilterFor<FieldsIn<NoInfer<Client & Managed & Derived & AccessFields<Owner | Tenant>>>, Field>
    >;
  };
  /**
   * The filters that get an index, for filters that match few of many records. The next start creates or drops indexes. Each
   * index slows down every write. Without one, each page searches a bounded number of records. Default: none.
   */
  indexes?: readonly (keyof NoInfer<By> & string)[];
  /**
   * The values that no two records may share: `["email", ["project", "slug"], { field: "code", ignoreCase: true }]`. A change that
   * would break this is refused with 409. Null is never compared. Texts are compared in Unicode's NFC. Default: none.
   */
  unique?: readonly UniqueOption<UniqueField<FieldsIn<NoInfer<Client & Managed & Derived & AccessFields<Owner | Tenant>>>>>[];
  /**
   * The fields that have the id of a record: `{ customer: { to: "customer" }, "lines[].product": { to: "product" } }`. Such a record
   * must exist. `onDelete` says what happens when it is deleted: `restrict` (the default), `cascade` or `null`. Default: none.
   */
  references?: {
    readonly [P in keyof Refs]: Fitting<
      Refs[P],
      ReferenceFor<FieldsIn<NoInfer<Client & Managed & Derived & AccessFields<Owner | Tenant>>>, P>
    >;
  };
  /**
   * Sort orders of lists besides `id`, `createdAt` and `updatedAt`: `["dueAt", ["state", "-dueAt"]]`. Each can be reversed, and each is
   * an index, which slows down every write. Null comes first. Default: none.
   */
  sort?: {
    readonly [Index in keyof Orders]: Fitting<
      Orders[Index],
      SortFor<FieldsIn<NoInfer<Client & Managed & Derived & AccessFields<Owner | Tenant>>>, Orders[Index]>
    >;
  };
  /** The text fields in which `?search=` finds words: `["title", "body"]`. It is an index, which slows down every write. Default: none. */
  search?: {
    readonly [Index in keyof Words]: Fitting<
      Words[Index],
      SearchFor<FieldsIn<NoInfer<Client & Managed & Derived & AccessFields<Owner | Tenant>>>, Words[Index]>
    >;
  };
  /**
   * Fields that only the service itself sees, such as `passwordHash`: they are in no response, event, stream, history or webhook. Clients
   * may set those that are in `fields`. Routes read them with `system`. Default: none.
   */
  private?: {
    readonly [Index in keyof Private]: Fitting<Private[Index], keyof FieldsIn<NoInfer<Client & Managed & Derived>> & string>;
  };
  /**
   * Name of a text field with the subject of the actor that created the record, such as `createdBy`. Only that actor, and those with the
   * scope `admin`, see and change the record; for others it does not exist. Null for what the service itself creates. Default: none.
   */
  owner?: Owner;
  /**
   * Separates tenants: `{ field: "tenant", claim: "org_id" }`. The field has the value of that claim of the JWT that created the record.
   * Tokens with another value see nothing of the record. The field limits every unique key. Default: none.
   */
  scope?: TenantScope<Tenant>;
  /** `anyone`: reading needs no token, and shows the records of all owners. Default: reading needs a token. */
  read?: "anyone";
  /** The scope that changes need, besides `write`, such as `admin`. Default: none. */
  write?: string;
  /** A valid request body, shown in the documentation. */
  example: FieldsIn<NoInfer<Client>>;
  /** Custom events, with the fields of their `data`: `{ shipped: { carrier: Type.String() } }`. Default: none. */
  events?: Events;
  /** Earlier versions of the schemas, oldest first. Default: none. */
  past?: Past;
  /**
   * The parts no longer in use, whose events and records stay readable: the names of custom events that are no longer published, or true
   * for the whole resource. Records of a retired resource can be read, exported, deleted and erased, but not created or changed, and it
   * has no routes. Default: none.
   */
  retired?: true | readonly (keyof NoInfer<Events> & string)[];
}
