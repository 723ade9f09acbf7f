import { type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import type { PastVersion } from "./past-version";
import { recordOf } from "./record";
import { changes, type Resource } from "./resource";

/** What the body of an event has, in one version of its type. */
export interface EventShape {
  readonly version: number;
  readonly record: TObject;
  /** Undefined: it has none, as the events of plain changes. */
  readonly data: TObject | undefined;
}

/** An event type with every version in which it was published. */
export interface EventType {
  /** `order.shipped` */
  readonly type: string;
  /** `shipped` */
  readonly name: string;
  readonly resource: Resource;
  /** The oldest first: that of version n is at n - 1. */
  readonly shapes: readonly EventShape[];
  /** What leads from each version to the next: from version n to n + 1 at n - 1. */
  readonly steps: readonly PastVersion[];
}

/** The event types of a resource: those of its changes, then its own. */
export function eventTypesOf(resource: Resource): EventType[] {
  return [...changes, ...Object.keys(resource.events)].map((name) => {
    const steps = resource.past.filter(({ event }) => event === undefined || event === name);
    let record = resource.record;
    // As with records: a newer program may send more.
    const given: TSchema | undefined = resource.events[name];
    let data = given && Type.Object(given["properties"] as TProperties, { additionalProperties: true });
    const shapes: EventShape[] = [{ version: steps.length + 1, record, data }];
    for (const [index, { event, fields }] of [...steps.entries()].reverse()) {
      if (event === undefined) record = recordOf(fields.properties);
      else data = fields;
      shapes.unshift({ version: index + 1, record, data });
    }
    return { type: `${resource.name}.${name}`, name, resource, shapes, steps };
  });
}

export function newestVersion({ shapes }: EventType): number {
  return shapes.length;
}

/** The version in which this program writes an event of a resource. */
export function versionOf({ past }: Resource, name: string): number {
  let version = 1;
  for (const { event } of past) if (event === undefined || event === name) version += 1;
  return version;
}

/** Why a resource has no such event with these data; undefined: it has. */
export function wrongData(resource: Resource, name: string, data: object): string | undefined {
  const schema = Object.hasOwn(resource.events, name) ? resource.events[name] : undefined;
  if (!schema) {
    const own = Object.keys(resource.events);
    return `"${resource.name}" has no event "${name}" of its own: ${own.length > 0 ? `it has ${own.join(", ")}` : "it has none"}.`;
  }
  const mistake = firstMistake(schema, data);
  return mistake === undefined ? undefined : `The data of ${resource.name}.${name} are not as its schema has them: ${mistake}`;
}

const checks = new WeakMap<TSchema, TypeCheck<TSchema>>();

/** The compiled check of a schema, made once. */
export function checkOf(schema: TSchema): TypeCheck<TSchema> {
  const known = checks.get(schema);
  if (known) return known;
  const check = TypeCompiler.Compile(schema);
  checks.set(schema, check);
  return check;
}

/** The first thing that is not as a schema has it, with its place: `/price: Expected number`. */
export function firstMistake(schema: TSchema, value: unknown): string | undefined {
  const check = checkOf(schema);
  if (check.Check(value)) return undefined;
  const mistake = check.Errors(value).First();
  return mistake ? `${mistake.path}: ${mistake.message}` : ": does not match its schema";
}
