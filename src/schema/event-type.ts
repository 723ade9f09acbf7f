import { type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { erased, erasedRecord, erasureOf } from "./erasure";
import type { PastVersion } from "./past-version";
import { recordOf } from "./record";
import { InvalidChange } from "./refused-change";
import { changes, type Resource } from "./resource";
import { mistakesInWritten } from "./written";

/** The schemas of an event body in one version of its type. */
export interface EventShape {
  readonly version: number;
  readonly record: TObject;
  /** Schema of `data`. Undefined for `created`, `updated` and `deleted`, which have no data. */
  readonly data: TObject | undefined;
}

/** An event type with all its published versions. */
export interface EventType {
  /** Full name, such as `order.shipped`. */
  readonly type: string;
  /** Name within the resource, such as `shipped`. */
  readonly name: string;
  readonly resource: Resource;
  /** The shapes of all versions, oldest first. Version n is at index n - 1. */
  readonly shapes: readonly EventShape[];
  /** The conversions between successive versions. Index n - 1 converts between versions n and n + 1. */
  readonly steps: readonly PastVersion[];
}

/** Returns the event types of a resource: `created`, `updated` and `deleted`, then its custom events, then `erased`. */
export function eventTypesOf(resource: Resource): EventType[] {
  const own = [...changes, ...Object.keys(resource.events)].map((name) => {
    const steps = resource.past.filter(({ event }) => event === undefined || event === name);
    let record = resource.record;
    // As in records, a newer program may send more properties.
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
  const shapes = [{ version: 1, record: erasedRecord, data: undefined }];
  return [...own, { type: erasureOf(resource), name: erased, resource, shapes, steps: [] }];
}

export function newestVersion({ shapes }: EventType): number {
  return shapes.length;
}

/** Returns whether this program publishes events of this type. A retired one is only read. */
export function isPublished({ name, resource }: EventType): boolean {
  return !resource.retired.includes(name);
}

/** Returns the version in which this program publishes an event of a resource: the newest. */
export function versionOf({ past }: Resource, name: string): number {
  let version = 1;
  for (const { event } of past) if (event === undefined || event === name) version += 1;
  return version;
}

/**
 * Checks the custom events of a change before they are published, so that consumers can read them.
 *
 * @param emitted the data of custom events, by name.
 * @throws {TypeError} if the resource has no such event, or it is retired.
 * @throws {InvalidChange} if the data is not valid.
 */
export function checkEmitted({ name, events, retired }: Resource, emitted: Readonly<Record<string, object | undefined>>): void {
  for (const [event, data] of Object.entries(emitted)) {
    const schema = Object.hasOwn(events, event) ? events[event] : undefined;
    if (!schema) {
      const own = Object.keys(events);
      throw new TypeError(
        `Resource "${name}" does not declare the event "${event}". Declared: ${own.length > 0 ? own.join(", ") : "none"}.`,
      );
    }
    if (retired.includes(event)) throw new TypeError(`The event "${event}" of "${name}" is retired, so it is no longer published.`);
    const mistakes = data ? mistakesInWritten(schema, data) : [];
    if (mistakes.length > 0) throw new InvalidChange(`The data of the event ${name}.${event} is not valid.`, mistakes);
  }
}
