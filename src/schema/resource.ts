import type { TObject, TSchema, TUnsafe } from "@sinclair/typebox";
import { Type } from "@sinclair/typebox";
import type { Access } from "./access";
import type { Actor } from "./actor";
import type { Filters } from "./filter";
import type { Mistake } from "./mistakes";
import type { PastVersion } from "./past-version";
import type { Recorded } from "./record";
import type { Reference } from "./references";
import type { UniqueKey } from "./unique";

/** The kinds of change that publish an event. They are the second part of an event type, such as `item.created`. */
export const changes = ["created", "updated", "deleted"] as const;
export type Change = (typeof changes)[number];

/** The data of a resource's custom events, by name. */
export type EventData = Record<string, object>;

/** The types of a resource. They are one type parameter of {@link Resource}, so that a new one changes no signature. */
export interface ResourceTypes {
  readonly name: string;
  readonly plural: string;
  /** The fields that clients set. */
  readonly input: object;
  /** The fields that only code of the service sets. */
  readonly managed: object;
  /** All fields of the record, without `id`, `version`, `createdAt` and `updatedAt`. */
  readonly fields: object;
  /** The fields without the private ones. */
  readonly shown: object;
  readonly filters: Filters;
  /** The values of the query parameter `sort`. */
  readonly sorts: string;
  /** True if its lists can be searched. */
  readonly isSearchable: boolean;
  /** The references as declared, by path. */
  readonly references: object;
  /** The data of the custom events. */
  readonly events: EventData;
  readonly past: readonly PastVersion[];
}

/** A type of record with CRUD over HTTP, and all that is derived from its schema. */
export interface Resource<T extends ResourceTypes = ResourceTypes> {
  readonly kind: "warren.resource";
  readonly name: T["name"];
  readonly plural: T["plural"];
  /** The topic exchange that receives its events. */
  readonly exchange: string;
  /** The shared queue that receives all events of this resource. */
  readonly queue: string;
  /** All event types of this resource, such as `item.created`. */
  readonly eventTypes: readonly `${T["name"]}.${Change | (keyof T["events"] & string)}`[];
  /** Schema of the fields that clients set. It refuses all others. */
  readonly input: TObject;
  /** Schema of all fields of the record, without those that every record has, such as `id`. */
  readonly fields: TObject;
  /** Schema of the whole record as stored, returned in responses and sent in events. */
  readonly record: TObject;
  /** The initial values of the managed fields, by name. */
  readonly managed: Readonly<Record<string, unknown>>;
  /** The functions that compute the derived fields, by name. */
  readonly derived: Readonly<Record<string, Derivation>>;
  /** The rule that every change must fulfil. Undefined if there is none. */
  readonly check: Rule | undefined;
  /** The fields by which a list can be filtered, and how. */
  readonly filters: T["filters"];
  /** The fields whose filter has an index. */
  readonly indexes: readonly string[];
  /** The keys that no two of its records share. */
  readonly unique: readonly UniqueKey[];
  /** The fields that have ids of other records. */
  readonly references: readonly Reference[];
  /** The declared sort orders, each with its fields. A field with `-` in front is descending. */
  readonly sorts: readonly (readonly string[])[];
  /** The fields in which a list can be searched. */
  readonly search: readonly string[];
  /** The fields that only the service itself sees. */
  readonly private: readonly string[];
  /** Who may see and change its records. */
  readonly access: Access;
  /** A valid request body. */
  readonly example: T["input"];
  /** Schemas of the data of its custom events, by name. */
  readonly events: { readonly [Event in keyof T["events"]]: TUnsafe<T["events"][Event]> };
  /** True if its records can no longer be created or changed. */
  readonly isRetired: boolean;
  /** The names of its events that are no longer published. */
  readonly retired: readonly string[];
  /** Earlier versions of the schemas, oldest first. */
  readonly past: T["past"];
  /** TypeScript types of the resource. Undefined at run time. */
  readonly types?: T;
}

/** Computes a derived field from the other fields. */
export type Derivation<Fields extends object = object, Value = unknown> = (fields: Fields) => Value;

/** A rule that a schema cannot express. Returns the mistakes in a record that is about to be written. */
export type Rule<Fields extends object = object> = (record: Recorded<Fields>, context: RuleContext<Fields>) => readonly Mistake[];

/** The circumstances of a change, for a rule. */
export interface RuleContext<Fields extends object = object> {
  /** The record before the change. Undefined if the change creates it. */
  readonly previous: Recorded<Fields> | undefined;
  /** Who makes the change. Undefined for the service itself, and for an API without tokens. */
  readonly actor: Actor | undefined;
}

/** The types of a resource: `TypesOf<typeof item>["name"]`. */
export type TypesOf<R extends Resource> = R extends Resource<infer T> ? T : never;

/** The type of the fields of a record, without `id`, `version`, `createdAt` and `updatedAt`: `FieldsOf<typeof item>`. */
export type FieldsOf<R extends Resource> = TypesOf<R>["fields"];

/** The type of what clients send to create or replace a record: `InputOf<typeof item>`. */
export type InputOf<R extends Resource> = Input<TypesOf<R>["input"]>;

/** The type of a resource's whole record, with `id`, `version`, `createdAt` and `updatedAt`: `RecordOf<typeof item>`. */
export type RecordOf<R extends Resource> = Recorded<TypesOf<R>["shown"]>;

/** The type of `T` in a request: a property that may be null may be omitted, at every depth. */
export type Input<T> = T extends readonly (infer Element)[]
  ? Input<Element>[]
  : T extends object
    ? { [Key in keyof T as null extends T[Key] ? never : Key]: Input<T[Key]> } & {
        [Key in keyof T as null extends T[Key] ? Key : never]?: Input<T[Key]>;
      }
    : T;

/**
 * The fields with which code of the service creates or replaces a record. A managed field that is omitted keeps its value, or
 * gets its initial one.
 */
export type Proposed<T extends ResourceTypes> = T["input"] & Partial<T["managed"]>;

/** Returns a schema for a field that may be null. Clients may omit the field, which is then null. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()], { default: null });
}
