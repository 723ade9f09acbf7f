import type { TSchema } from "@sinclair/typebox";
import type { Catalogue } from "./catalogue";
import { compareSchemas, essenceOf, type JsonSchema, type SchemaChange } from "./compatibility";
import { ConversionFailed, convert, mistakeIn } from "./convert";
import { type EventShape, type EventType, newestVersion } from "./event-type";
import { exampleOf } from "./example";
import { fieldsIn, isFilledIn, withFields } from "./record";

/** A version of an event type as it was published: what is under the resource's name, and under `data`. */
export interface PublishedVersion {
  readonly schema: Readonly<Record<string, JsonSchema>>;
  /** Not there where the schemas do not say enough to make one up. */
  readonly example?: Readonly<Record<string, unknown>>;
}

/** What was published, by event type and version: the content of `contracts/events.json`. */
export type Published = Readonly<Record<string, Readonly<Record<string, PublishedVersion>>>>;

/** Something about the schemas that does not go with what was published. */
export interface Breach {
  readonly types: readonly string[];
  readonly version: number;
  readonly what: string;
  /** What would be right. */
  readonly advice: string;
}

/**
 * What this program publishes and reads, together with what is known of it already.
 *
 * @param known its examples are kept: they are what was really published.
 */
export function publishedBy(catalogue: Catalogue, known: Published): Published {
  return Object.fromEntries(
    eventTypesIn(catalogue).map((type) => [
      type.type,
      Object.fromEntries(type.shapes.map((shape) => [shape.version, publishedVersion(type, shape, known[type.type]?.[shape.version])])),
    ]),
  );
}

function publishedVersion(type: EventType, shape: EventShape, known: PublishedVersion | undefined): PublishedVersion {
  const { name } = type.resource;
  const schema = { [name]: asJson(shape.record), ...(shape.data && { data: asJson(shape.data) }) };
  const example = known && shape.version < newestVersion(type) ? known.example : exampleBody(type, shape);
  return { schema, ...(example && { example }) };
}

/** What an event of this version may have beside its envelope; undefined: its schemas do not say enough to make it up. */
export function exampleBody(type: EventType, { version, record, data }: EventShape): Record<string, unknown> | undefined {
  const { resource, shapes } = type;
  const time = "2026-02-18T18:23:45.123Z";
  const isNewest = version === shapes.length;
  const fields = isNewest ? resource.example : fieldsIn(exampleOf(record) as object);
  const filled = withFields({ id: 1, version: 1, createdAt: time, updatedAt: time }, fields);
  const example = { [resource.name]: filled, ...(data && { data: exampleOf(data) }) };
  return mistakeOnTheWay(type, version, example) === undefined ? example : undefined;
}

/** Every way in which the program's schemas break what was published; none: it can read it all, and surprises no reader. */
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
  const undo = "Logs and queues may still have such events.";
  if (!type) return [{ what: "is published no more, and could not be read", advice: `${undo} Declare it again, in src/domain/.` }];
  const newest = newestVersion(type);
  const place = `\`past\` of "${type.resource.name}"`;
  const shape = type.shapes[version - 1];
  if (!shape)
    return [{ what: `is gone: the newest is version ${newest}`, advice: `${undo} Put it back into the ${place}, in src/domain/.` }];
  const isNewest = version === newest;
  const changes = changesOf(type, shape, before).filter(({ kind }) => kind === "unreadable" || (kind === "surprising" && isNewest));
  const advice = isNewest
    ? `Undo it, or make it version ${version + 1}: put what the fields were into the ${place}, in src/domain/, with an \`up\` that makes what they are now.`
    : `${undo} Write it in the ${place}, in src/domain/, as it was published.`;
  if (changes.length > 0) return changes.map(({ path, what }) => ({ what: `${path} ${what}`, advice }));
  const mistake = before.example && mistakeOnTheWay(type, version, before.example);
  return mistake === undefined ? [] : [{ what: `of the published example: ${mistake}`, advice: `Mend the upcaster, in the ${place}.` }];
}

/** What is read, and not published, within wider limits than before: programs of before may refuse it. */
export function widenings(catalogue: Catalogue, published: Published): string[] {
  const found = eventTypesIn(catalogue).flatMap((type) => {
    const shape = type.shapes.at(-1) as EventShape;
    const before = published[type.type]?.[shape.version];
    return before ? changesOf(type, shape, before).filter(({ kind }) => kind === "wider") : [];
  });
  return [...new Set(found.map(({ path, what }) => `${path} ${what}`))];
}

function changesOf({ resource }: EventType, shape: EventShape, before: PublishedVersion): SchemaChange[] {
  const whole = (properties: object) => ({ type: "object", properties, required: Object.keys(properties) });
  const now = { [resource.name]: asJson(shape.record), ...(shape.data && { data: asJson(shape.data) }) };
  const changes = compareSchemas(whole(before.schema), whole(now));
  // What the service fills in has been the same since the first event; only its description grows more exact.
  return changes.filter(({ path }) => !path.startsWith(`/${resource.name}/`) || !isFilledIn(path.slice(resource.name.length + 2)));
}

/** Why what was published does not come to the newest version; undefined: it does. */
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

function eventTypesIn(catalogue: Catalogue): EventType[] {
  return catalogue.eventTypes.map((name) => catalogue.eventType(name) as EventType);
}

/** What counts of a schema, without what only TypeBox knows. */
function asJson(schema: TSchema): JsonSchema {
  return essenceOf(JSON.parse(JSON.stringify(schema)) as JsonSchema);
}
