import { aboutProject } from "../project/about";
import type { Project, ProjectConsumer } from "../routing/route";
import { type Catalogue, selects } from "../schema/catalogue";
import { compareSchemas, type JsonSchema } from "../schema/compatibility";
import { isErasure } from "../schema/erasure";
import { isPublished } from "../schema/event-type";
import { type PublishedVersion, publishedBy } from "../schema/published";
import type { Resource } from "../schema/resource";
import { ownSorts } from "../schema/sort";
import { tickType } from "../schema/tick-type";

/** The resources, event types and consumers of a program, as data. */
export interface DescribedCatalogue {
  readonly title: string;
  readonly version: string;
  readonly resources: DescribedResource[];
  readonly eventTypes: DescribedEventType[];
  readonly consumers: DescribedConsumer[];
}

export interface DescribedResource {
  readonly name: string;
  readonly plural: string;
  /** Path of its list. Null if no route of the project is at the path that its name suggests. */
  readonly path: string | null;
  readonly exchange: string;
  readonly queue: string;
  readonly isRetired: boolean;
  /** JSON Schema of its records, without private fields. */
  readonly record: JsonSchema;
  /** JSON Schema of the fields that clients set. */
  readonly input: JsonSchema;
  readonly example: unknown;
  /** The fields by which lists can be filtered, and how. */
  readonly filters: Readonly<Record<string, string[]>>;
  /** Values of the query parameter `sort`, each also with `-` in front. */
  readonly sorts: string[];
  readonly isSearchable: boolean;
  readonly unique: string[][];
  readonly references: { readonly field: string; readonly to: string }[];
  readonly events: string[];
}

export interface DescribedEventType {
  readonly type: string;
  readonly resource: string;
  readonly isPublished: boolean;
  readonly versions: {
    readonly version: number;
    readonly schema: Readonly<Record<string, JsonSchema>>;
    readonly example: Readonly<Record<string, unknown>> | null;
    /** The differences from the version before, as sentences without a subject: `/item/price was removed`. */
    readonly changes: string[];
  }[];
}

export interface DescribedConsumer {
  readonly name: string;
  readonly queue: string | null;
  readonly types: string[];
  readonly description: string | null;
  readonly exactlyOnce: boolean;
}

/** Describes a program. */
export function describeCatalogue(catalogue: Catalogue, { paths, consumers }: Project): DescribedCatalogue {
  const { title, version } = aboutProject();
  const published = publishedBy(catalogue, {});
  const eventTypes = catalogue.types.map((type): DescribedEventType => {
    const versions = Object.entries(published[type.type] ?? {});
    return {
      ...{ type: type.type, resource: type.resource.name, isPublished: isPublished(type) },
      versions: versions.map(([number, one], index) => ({
        version: Number(number),
        schema: one.schema,
        example: one.example ?? null,
        changes: changesBetween(versions[index - 1]?.[1], one),
      })),
    };
  });
  const recordOf = ({ name }: Resource): JsonSchema => {
    const versions = eventTypes.find(({ type }) => type === `${name}.created`)?.versions;
    return versions?.at(-1)?.schema[name] ?? {};
  };
  return {
    ...{ title, version, eventTypes },
    resources: catalogue.resources.map((resource) => describeResource(resource, recordOf(resource), paths)),
    consumers: consumers.map((consumer) => describeConsumer(consumer, catalogue)),
  };
}

function describeResource(resource: Resource, record: JsonSchema, paths: readonly string[]): DescribedResource {
  const { name, plural, exchange, queue, isRetired, input, example, filters, sorts, search, unique, references, eventTypes } = resource;
  return {
    ...{ name, plural, exchange, queue, isRetired, record, example },
    path: paths.includes(`/${plural}`) ? `/${plural}` : null,
    input: JSON.parse(JSON.stringify(input)) as JsonSchema,
    filters: Object.fromEntries(Object.entries(filters).map(([field, kinds]) => [field, [kinds].flat() as string[]])),
    sorts: [...ownSorts, ...sorts.map((order) => order.join())],
    isSearchable: search.length > 0,
    unique: unique.map(({ paths }) => [...paths]),
    references: references.map(({ path, to }) => ({ field: path, to })),
    events: [...eventTypes],
  };
}

function changesBetween(before: PublishedVersion | undefined, now: PublishedVersion): string[] {
  if (!before) return [];
  const whole = ({ schema }: PublishedVersion) => ({ type: "object", properties: schema, required: Object.keys(schema) });
  return compareSchemas(whole(before), whole(now)).map(({ path, what }) => `${path} ${what}`);
}

function describeConsumer(
  { name, queue, events, schedule, description, exactlyOnce }: ProjectConsumer,
  catalogue: Catalogue,
): DescribedConsumer {
  const owner = catalogue.ownerOf(queue ?? "");
  const patterns = events ?? (owner ? [`${owner.name}.*`] : ["#"]);
  const types = catalogue.types.map(({ type }) => type).filter((type) => patterns.some((pattern) => selects(pattern, type)));
  const shown = { name, queue: queue ?? null, description: description ?? null, exactlyOnce: exactlyOnce ?? false };
  if (schedule !== undefined) return { ...shown, types: [tickType] };
  return {
    ...shown,
    types: events ? types : types.filter((type) => !isErasure(type)),
  };
}
