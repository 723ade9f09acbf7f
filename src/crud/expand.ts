import type { TSchema } from "@sinclair/typebox";
import { Type } from "@sinclair/typebox";
import type { Parameter } from "../http/query";
import type { RequestStore } from "../http/request-store";
import type { Catalogue } from "../schema/catalogue";
import { titleOf } from "../schema/documented";
import { distinctAt, stepsOf } from "../schema/path-values";
import type { Recorded } from "../schema/record";
import { expandedField, type Reference } from "../schema/references";
import type { Resources } from "../schema/registered";
import type { RecordOf, Resource, ResourceTypes } from "../schema/resource";
import type { Stored } from "../store/stored";

/** The property that `expand` adds to a record in a response: the records to which it refers, by the path of the reference. */
export type Expanded<T extends ResourceTypes> = keyof T["references"] extends never
  ? unknown
  : {
      [expandedField]?: {
        [P in keyof T["references"] & string]?: P extends `${string}[]${string}`
          ? RecordNamed<T["references"][P]>[]
          : RecordNamed<T["references"][P]> | null;
      };
    };
type RecordNamed<R> = R extends { readonly to: infer Name extends keyof Resources } ? RecordOf<Resources[Name]> : Recorded<object>;

/** The query parameter of a resource that has references. */
export type ExpandQuery<T extends ResourceTypes> = keyof T["references"] extends never ? unknown : { expand?: string };

/** Returns the parameter `expand`, by its name. Returns an empty object if the resource has no references. */
export function expandParameter({ references }: Resource): { readonly expand?: Parameter<readonly string[]> } {
  if (references.length === 0) return {};
  const paths = references.map(({ path }) => path);
  const description =
    `Adds the records that these fields refer to, as \`${expandedField}\`: some of ${paths.join(", ")}, separated by commas. ` +
    "A record that was deleted in the meantime is null.";
  return {
    expand: {
      description,
      documented: { type: "string", examples: [paths[0]] },
      read: (text) => {
        const chosen = [...new Set(text.split(","))];
        return chosen.every((path) => paths.includes(path)) ? chosen : undefined;
      },
    },
  };
}

/** Returns the schema of {@link Expanded}, as a property of a record. Returns an empty object if the resource has no references. */
export function expandedSchema({ references }: Resource, catalogue: Catalogue): Record<string, TSchema> {
  if (references.length === 0) return {};
  const schemas = references.map(({ path, to }) => {
    const target = catalogue.resource(to) as Resource;
    // With a title, it is the same schema as that of the resource itself, unless that has a property `expanded` as well.
    const record: TSchema = { ...target.record, ...(target.references.length === 0 && { title: titleOf(to) }) };
    return [path, Type.Optional(path.includes("[]") ? Type.Array(record) : Type.Union([record, Type.Null()]))] as const;
  });
  const description = "The records that this one refers to, by field. Only in responses to requests with `expand`.";
  return { [expandedField]: Type.Optional(Type.Object(Object.fromEntries(schemas), { description })) };
}

/**
 * Returns the JSON of records with the records that they refer to. Reads each referenced resource once per path, however many
 * records there are.
 */
export async function expand(
  store: RequestStore,
  catalogue: Catalogue,
  resource: Resource,
  rows: readonly Stored[],
  paths: readonly string[],
) {
  if (paths.length === 0) return rows.map(({ json }) => json);
  const records = rows.map(({ json }) => JSON.parse(json) as object);
  const parts = await Promise.all(
    resource.references
      .filter(({ path }) => paths.includes(path))
      .map((reference) => partsOf(store, catalogue.resource(reference.to) as Resource, reference, records)),
  );
  return rows.map(({ json }, index) => `${json.slice(0, -1)},"${expandedField}":{${parts.map((part) => part[index]).join(",")}}}`);
}

/** Returns the member of `expanded` for one reference, for each of the records. */
async function partsOf(store: RequestStore, target: Resource, { path }: Reference, records: readonly object[]): Promise<string[]> {
  const steps = stepsOf(path);
  const ids = records.map((record) => [...distinctAt(record, steps)] as number[]);
  const found = new Map((await store.getAll(target, [...new Set(ids.flat())])).map(({ id, json }) => [id, json]));
  const name = JSON.stringify(path);
  if (!path.includes("[]")) return ids.map(([id]) => `${name}:${(id !== undefined && found.get(id)) || "null"}`);
  return ids.map((each) => `${name}:[${each.flatMap((id) => found.get(id) ?? []).join(",")}]`);
}
