import type { TSchema } from "@sinclair/typebox";
import type { Catalogue } from "./catalogue";
import { compareSchemas, essenceOf, type JsonSchema, type SchemaChange } from "./compatibility";
import { completeFields } from "./complete-fields";
import { ConversionFailed, convert, mistakeIn } from "./convert";
import { isErasure } from "./erasure";
import { type EventShape, type EventType, newestVersion } from "./event-type";
import { exampleOf } from "./example";
import { withoutPrivate } from "./private";
import { fieldsIn, isFilledIn, withFields } from "./record";
import { tickExample, tickType } from "./tick-type";

/** A published version of an event type. */
export interface PublishedVersion {
  /** The schemas under the resource's name and, for a custom event, under `data`. */
  readonly schema: Readonly<Record<string, JsonSchema>>;
  /** An example body without the envelope. Missing if none can be derived from the schemas. */
  readonly example?: Readonly<Record<string, unknown>>;
}

/** All published versions, by event type and version: the content of `contracts/events.json`. */
export type Published = Readonly<Record<string, Readonly<Record<string, PublishedVersion>>>>;

/** A change to the schemas that is not compatible with a published version. */
export interface Breach {
  /** The event types that it affects. */
  readonly types: readonly string[];
  readonly version: number;
  /** Description of the change. */
  readonly what: string;
  /** How to fix it. */
  readonly advice: string;
}

/**
 * Returns all versions of the event types that this program publishes or reads.
 *
 * @param known earlier published versions. Their examples are kept for past versions, because they were really published.
 */
export function publishedBy(catalogue: Catalogue, known: Published): Published {
  return Object.fromEntries(
    catalogue.types.map((type) => [
      type.type,
      Object.fromEntries(type.shapes.map((shape) => [shape.version, publishedVersion(type, shape, known[type.type]?.[shape.version])])),
    ]),
  );
}

function publishedVersion(type: EventType, shape: EventShape, known: PublishedVersion | undefined): PublishedVersion {
  const example = known && shape.version < newestVersion(type) ? known.example : exampleBody(type, shape);
  return { schema: schemasIn(type, shape), ...(example && { example }) };
}

/** Returns an example body of an event in this version, without the envelope. Returns undefined if the schemas do not allow one. */
export function exampleBody(type: EventType, { version, record, data }: EventShape): Record<string, unknown> | undefined {
  const { resource, shapes } = type;
  if (isErasure(type.type)) return { [resource.name]: { id: 1 } };
  if (type.type === tickType) return { schedule: tickExample };
  const time = "2026-02-18T18:23:45.123Z";
  const isNewest = version === shapes.length;
  const fields = isNewest ? withoutPrivate(resource, completeFields(resource, resource.example)) : fieldsIn(exampleOf(record) as object);
  const filled = withFields({ id: 1, version: 1, createdAt: time, updatedAt: time }, fields);
  const example = { [resource.name]: filled, ...(data && { data: exampleOf(data) }) };
  return mistakeOnTheWay(type, version, example) === undefined ? example : undefined;
}

/** Returns all incompatibilities of the program's schemas with the published ones. Returns an empty array if there are none. */
export function breachesOf(catalogue: Catalogue, published: Published): Breach[] {
  const found: Breach[] = [];
  for (const [name, versions] of Object.entries(published)) {
    const type = catalogue.eventType(name);
    for (const [version, before] of Object.entries(versions)) {
      for (const { what, advice } of breachesOfVersion(type, Number(version), before)) {
        const same = found.find((breach) => breach.what === what && breach.advice === advice && breach.version === Number(version));
        if (same) (same.types as string[]).push(name);
        else found.push({ types: [name], version: Number(version), what, advice });
      }
    }
  }
  return found;
}

function breachesOfVersion(type: EventType | undefined, version: number, before: PublishedVersion): Pick<Breach, "what" | "advice">[] {
  const undo = "Logs and queues may still contain such events.";
  if (!type) return [{ what: "is no longer declared, so it cannot be read", advice: `${undo} Declare it again, in src/domain/.` }];
  const newest = newestVersion(type);
  const place = `\`past\` of "${type.resource.name}"`;
  const shape = type.shapes[version - 1];
  if (!shape)
    return [{ what: `is missing; the newest version is ${newest}`, advice: `${undo} Put it back into the ${place}, in src/domain/.` }];
  const isNewest = version === newest;
  const changes = changesOf(type, shape, before).filter(({ kind }) => kind === "unreadable" || (kind === "surprising" && isNewest));
  const advice = isNewest
    ? `Undo the change, or make it version ${version + 1}: add the previous fields to the ${place}, in src/domain/, with an \`up\` that converts them.`
    : `${undo} Restore it in the ${place}, in src/domain/, as it was published.`;
  if (changes.length > 0) return changes.map(({ path, what }) => ({ what: `${path} ${what}`, advice }));
  const mistake = before.example && mistakeOnTheWay(type, version, before.example);
  return mistake === undefined ? [] : [{ what: `cannot convert the published example: ${mistake}`, advice: `Fix \`up\` in the ${place}.` }];
}

/** Returns the schema changes that allow more values than published. Older programs may reject such values. */
export function widenings(catalogue: Catalogue, published: Published): string[] {
  const found = catalogue.types.flatMap((type) => {
    const shape = type.shapes.at(-1) as EventShape;
    const before = published[type.type]?.[shape.version];
    return before ? changesOf(type, shape, before).filter(({ kind }) => kind === "wider") : [];
  });
  return [...new Set(found.map(({ path, what }) => `${path} ${what}`))];
}

function changesOf(type: EventType, shape: EventShape, before: PublishedVersion): SchemaChange[] {
  const whole = (properties: object) => ({ type: "object", properties, required: Object.keys(properties) });
  const changes = compareSchemas(whole(before.schema), whole(schemasIn(type, shape)));
  // Ignore the fields set by the service: their values have the same form as ever, and only their schemas have become more exact.
  const record = `/${type.resource.name}/`;
  return changes.filter(({ path }) => !path.startsWith(record) || !isFilledIn(path.slice(record.length)));
}

/** Returns why a published example cannot be converted to the newest version, or undefined if it can. */
function mistakeOnTheWay(type: EventType, version: number, example: object): string | undefined {
  const event = { ...example, version };
  const mistake = mistakeIn(type, event);
  if (mistake !== undefined) return mistake;
  try {
    convert(type, event, newestVersion(type));
    return undefined;
  } catch (error) {
    if (error instanceof ConversionFailed) return error.message;
    throw error;
  }
}

/** Returns the schemas of an event body, without the envelope. */
function schemasIn({ resource }: EventType, { record, data }: EventShape): PublishedVersion["schema"] {
  return { [resource.name]: asJson(record), ...(data && { data: asJson(data) }) };
}

/** Returns a schema as plain JSON, without TypeBox's symbols and without keywords that only describe. */
function asJson(schema: TSchema): JsonSchema {
  return essenceOf(JSON.parse(JSON.stringify(schema)) as JsonSchema);
}
