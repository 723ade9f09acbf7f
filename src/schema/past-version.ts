import { type Static, type TObject, type TProperties, Type } from "@sinclair/typebox";
import { checkable } from "./checkable";

/**
 * An earlier version of a resource's schema, with the conversions to the next version and back. Events and records written with
 * it stay readable.
 */
export interface PastVersion<Fields extends object = object, Of extends string | undefined = string | undefined> {
  /** The custom event whose data changed. Undefined if the record changed, which every event of the resource contains. */
  readonly event: Of;
  /** Schema of the record in this version, without the fields set by the service, or of the event's data. */
  readonly fields: TObject;
  /** Converts to the next version. If it throws or returns an invalid result, the event becomes a dead letter. */
  readonly up: Conversion;
  /** Converts from the next version back to this one. Undefined if consumers cannot ask for this version. */
  readonly down: Conversion | undefined;
  /** TypeScript type of the fields. Undefined at run time. */
  readonly typed?: Fields;
}

export type Conversion = (fields: Readonly<Record<string, unknown>>) => object;

interface PastVersionOptions<Properties extends TProperties> {
  fields: Properties;
  up: (fields: Static<TObject<Properties>>) => object;
  down?: (next: Readonly<Record<string, unknown>>) => Static<TObject<Properties>>;
}

/**
 * Declares an earlier version of a schema for `defineResource({ past: […] })`.
 *
 * @param options.fields the schema at that time: of the record, or with `event` of that event's data.
 * @param options.event the custom event whose data changed. Default: none; the record changed.
 * @param options.up converts to the next version. It must not be async. If it throws or returns an invalid result, an event
 *   becomes a dead letter. If that happens with a stored record, the store does not open.
 * @param options.down converts from the next version back to this one, for consumers that ask for this version. It must not be
 *   async. Default: none; consumers cannot ask for this version.
 * @example
 * pastVersion({ fields: { name: Type.String(), cents: Type.Integer() }, up: ({ cents, ...rest }) => ({ ...rest, price: cents / 100 }) })
 * @throws {TypeError} if `fields` is not a valid schema for JSON or has an unknown format.
 */
export function pastVersion<Properties extends TProperties, const Event extends string>(
  options: PastVersionOptions<Properties> & { event: Event },
): PastVersion<Static<TObject<Properties>>, Event>;
export function pastVersion<Properties extends TProperties>(
  options: PastVersionOptions<Properties>,
): PastVersion<Static<TObject<Properties>>, undefined>;
export function pastVersion({ event, fields, up, down }: PastVersionOptions<TProperties> & { event?: string }): PastVersion {
  return {
    event,
    fields: checkable(Type.Object(fields, { additionalProperties: true }), "In a past version, the field"),
    up: up as Conversion,
    down,
  };
}
