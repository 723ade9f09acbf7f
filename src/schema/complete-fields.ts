import { callHook } from "./hook";
import type { Resource } from "./resource";

type Fields = Readonly<Record<string, unknown>>;
type Completing = Pick<Resource, "name" | "input" | "managed" | "derived">;

/**
 * Returns all fields of a record: the proposed ones, the managed ones that are not proposed with their previous or initial
 * values, and the derived ones as computed now.
 *
 * @param previous the record before the change. Default: none; the record is new.
 * @throws {BrokenHook} if a derived field cannot be computed.
 */
export function completeFields({ name, input, managed, derived }: Completing, proposed: object, previous: object = {}): Fields {
  const own: Record<string, unknown> = {};
  const take = (field: string, from: Fields) => {
    if (own[field] === undefined && Object.hasOwn(from, field)) own[field] = from[field];
  };
  for (const field of Object.keys(input.properties)) take(field, proposed as Fields);
  for (const field of Object.keys(managed)) for (const from of [proposed, previous, managed]) take(field, from as Fields);
  const computed = Object.entries(derived).map(([field, from]) => [
    field,
    callHook(`The derived field "${field}" of "${name}"`, () => from(own)),
  ]);
  return { ...own, ...Object.fromEntries(computed) };
}
