import { listMistakes, mistakesIn } from "./check";
import { completeFields } from "./complete-fields";
import type { EventType } from "./event-type";
import { BrokenHook, thrownText } from "./hook";
import type { Recorded } from "./record";
import { fieldsIn, withFields } from "./record";

/** An event could not be converted to another version of its type. */
export class ConversionFailed extends Error {
  override readonly name = "ConversionFailed";
  constructor(
    readonly reason: "upcast-failed" | "downcast-failed",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

type Body = { readonly version: number; readonly [key: string]: unknown };

/**
 * Converts an event to another version of its type, one version at a time. Checks the result of each step.
 *
 * @param event an event that is valid in its own version.
 * @throws {ConversionFailed} if a step throws, is missing or returns an invalid result. The message names the step.
 */
export function convert<E extends Body>(type: EventType, event: E, to: number): E {
  let converted: Body = event;
  while (converted.version !== to) converted = step(type, converted, to > converted.version ? 1 : -1);
  return converted as E;
}

function step(type: EventType, event: Body, way: 1 | -1): Body {
  const { version: from } = event;
  const to = from + way;
  const fail = (what: string, cause?: unknown): never => {
    throw new ConversionFailed(way === 1 ? "upcast-failed" : "downcast-failed", `${type.type} version ${from} to ${to}: ${what}`, {
      cause,
    });
  };
  const past = type.steps[Math.min(from, to) - 1];
  const change = way === 1 ? past?.up : past?.down;
  if (!past || !change) return fail("the past version has no `down`");
  const key = past.event === undefined ? type.resource.name : "data";
  const before = event[key] as Recorded<object>;
  let made: unknown;
  try {
    made = change(past.event === undefined ? fieldsIn(before) : { ...before });
  } catch (error) {
    return fail(thrownText(error), error);
  }
  if (typeof made !== "object" || made === null)
    return fail(`it returned ${made === null ? "null" : `a value of type ${typeof made}`}, not an object`);
  if (made instanceof Promise) {
    made.catch(() => {});
    return fail("it returned a promise; it must not be async");
  }
  let value = made;
  try {
    if (past.event === undefined) value = withFields(before, completed(type, to, made));
  } catch (error) {
    if (error instanceof BrokenHook) return fail(error.message, error);
    throw error;
  }
  const next: Body = { ...event, version: to, [key]: value };
  const mistake = mistakeIn(type, next);
  return mistake ? fail(mistake) : next;
}

/**
 * Returns the fields of a record in a version. Completes those of the newest schema: an `up` from before the resource had managed or
 * derived fields does not make them.
 *
 * @throws {BrokenHook} if a derived field cannot be computed.
 */
function completed({ resource, steps }: EventType, version: number, fields: object): object {
  const isNewest = steps.slice(version - 1).every(({ event }) => event !== undefined);
  // A newer publisher may send further fields, which are kept.
  return isNewest ? { ...fields, ...completeFields(resource, fields) } : fields;
}

/** Returns the mistakes in an event as one line, by the schemas of its own version. Returns undefined for a valid event. */
export function mistakeIn({ resource, shapes }: EventType, event: Body): string | undefined {
  const shape = shapes[event.version - 1];
  if (!shape) return `version ${event.version} does not exist`;
  const mistakes = [
    ...mistakesIn(shape.record, event[resource.name], `/${resource.name}`),
    ...(shape.data ? mistakesIn(shape.data, event["data"], "/data") : []),
  ];
  return mistakes.length > 0 ? listMistakes(mistakes) : undefined;
}
