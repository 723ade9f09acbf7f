import { type Static, type TObject, type TProperties, Type } from "@sinclair/typebox";
import { checkable } from "./checkable";

/**
 * A schema that events were published with before it was changed, and how what was written with it becomes what the
 * version after it has.
 */
export interface PastVersion<Fields extends object = object, Of extends string | undefined = string | undefined> {
  /** The custom event whose data changed; undefined: the record changed, which every event of the resource carries. */
  readonly event: Of;
  /** What the record (without what the service fills in), or the data, was. */
  readonly fields: TObject;
  /** To the next version. What it throws, or makes that is not valid, turns the event into a dead letter. */
  readonly up: Conversion;
  /** Back from the next version; undefined: no consumer can ask for this one any more. */
  readonly down: Conversion | undefined;
  /** What `fields` are to TypeScript. Not there at run time. */
  readonly typed?: Fields;
}

export type Conversion = (fields: Readonly<Record<string, unknown>>) => object;

interface PastVersionOptions<Properties extends TProperties> {
  fields: Properties;
  up: (fields: Static<TObject<Properties>>) => object;
  down?: (next: Readonly<Record<string, unknown>>) => Static<TObject<Properties>>;
}

/**
 * A schema of the past, for `defineResource({ past: […] })`: of the record, or with `event` of that event's data.
 *
 * @example
 * pastVersion({ fields: { name: Type.String(), cents: Type.Integer() }, up: ({ cents, ...rest }) => ({ ...rest, price: cents / 100 }) })
 * @throws {TypeError} for a schema that is not one of JSON, or that has an unknown format.
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
