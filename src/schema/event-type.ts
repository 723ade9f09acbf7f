import { type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import type { PastVersion } from "./past-version";
import { recordOf } from "./record";
import { changes, type Resource } from "./resource";
import { InvalidChange, mistakesInWritten } from "./written";

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

/**
 * Checks events that are to be published: one that nobody could read must not be.
 *
 * @param emitted the data of custom events, by name.
 * @throws {TypeError} when the resource has no such event.
 * @throws {InvalidChange} when the data are not valid.
 */
export function checkEmitted({ name, events }: Resource, emitted: Readonly<Record<string, object | undefined>>): void {
  for (const [event, data] of Object.entries(emitted)) {
    const schema = Object.hasOwn(events, event) ? events[event] : undefined;
    if (!schema) {
      const own = Object.keys(events);
      throw new TypeError(`"${name}" has no event "${event}" of its own: it has ${own.length > 0 ? own.join(", ") : "none"}.`);
    }
    const mistakes = data ? mistakesInWritten(schema, data) : [];
    if (mistakes.length > 0) throw new InvalidChange(`The data of the event ${name}.${event} is not valid.`, mistakes);
  }
}
