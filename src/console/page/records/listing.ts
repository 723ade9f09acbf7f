import type { Catalogue } from "../answers";
import { elementsOf, type Field, fieldAt, propertiesOf, type Schema } from "./fields";

export type Resource = Catalogue["resources"][number];

/** Records of a page. */
export const pageSize = 50;

/** A query parameter of a list by which it is filtered. */
export interface Parameter {
  /** Name in the API, and in the page's link. */
  readonly name: string;
  readonly label: string;
  /** `words`: one of these values. `day`: a date. */
  readonly kind: "text" | "number" | "day" | "words";
  readonly words: readonly string[];
  /** Another parameter, which finds records without a value. */
  readonly nullName: string | undefined;
  /** True if several values, separated by commas, are possible. */
  readonly isRepeated: boolean;
}

/** Returns the parameters by which the lists of a resource are filtered. */
export function parametersOf({ record, input, filters }: Pick<Resource, "record" | "input" | "filters">): Parameter[] {
  return Object.entries(filters).flatMap(([path, kinds]) => {
    const field = fieldAt(record, path) ?? fieldAt(input, path);
    return field ? kinds.flatMap((kind) => parametersFor(path, kind, field, schemaAt(record, path))) : [];
  });
}

function parametersFor(path: string, filter: string, field: Field, schema: Schema | undefined): Parameter[] {
  const plain = { name: path, label: path, kind: "text", words: [], nullName: undefined, isRepeated: false } as const;
  const kind = field.kind === "number" ? "number" : field.format === "date" ? "day" : "text";
  if (filter === "range") {
    const capitalized = `${path.slice(0, 1).toUpperCase()}${path.slice(1)}`;
    // A range of times also takes days.
    const ofRange = field.format === "date-time" ? "day" : kind;
    return [
      { ...plain, name: `min${capitalized}`, label: `${path} from`, kind: ofRange },
      { ...plain, name: `max${capitalized}`, label: `${path} to`, kind: ofRange },
    ];
  }
  if (filter === "prefix") return [{ ...plain, label: `${path} begins with` }];
  if (filter === "contains") {
    const words = schema ? (fieldAt({ properties: { each: elementsOf(schema) } }, "each")?.words ?? []) : [];
    return [{ ...plain, label: `${path} contains`, kind: words.length > 0 ? "words" : "text", words: words.map(String), isRepeated: true }];
  }
  const nullName = field.isNullable || !field.isRequired ? `${path}.null` : undefined;
  if (field.kind === "choice") return [{ ...plain, kind: "words", words: field.words.map(String), nullName }];
  return [{ ...plain, kind, nullName, isRepeated: kind !== "day" }];
}

function schemaAt(record: Schema, path: string): Schema | undefined {
  let found: Schema | undefined = record;
  for (const name of path.split(".")) found = found && propertiesOf(found)[name];
  return found;
}

/** Returns the sort orders to choose from. The first is that of a list without a choice. */
export function sortsOf(
  { sorts, isSearchable }: Pick<Resource, "sorts" | "isSearchable">,
  isSearch: boolean,
): { value: string; name: string }[] {
  const own = [
    { value: "-id", name: "newest first" },
    { value: "id", name: "oldest first" },
  ];
  // A search has no other orders.
  if (isSearch) return [...own, ...(isSearchable ? [{ value: "relevance", name: "best match" }] : [])];
  const others = sorts.filter((sort) => sort !== "id").flatMap((sort) => [sort, reversed(sort)]);
  return [...own, ...others.map((value) => ({ value, name: nameOf(value) }))];
}

function reversed(sort: string): string {
  return sort
    .split(",")
    .map((key) => (key.startsWith("-") ? key.slice(1) : `-${key}`))
    .join(",");
}

function nameOf(sort: string): string {
  return sort
    .split(",")
    .map((key) => (key.startsWith("-") ? `${key.slice(1)}, descending` : key))
    .join("; ");
}

/** Returns the query of a list, from the query of the page's link. */
export function listQuery(resource: Resource, given: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams({ limit: String(pageSize) });
  for (const { name, nullName, isRepeated } of parametersOf(resource)) {
    const value = given.get(name)?.trim() ?? "";
    const values = isRepeated ? value.split(",").map((part) => part.trim()) : [value];
    for (const one of new Set(values.filter(Boolean))) query.append(name, one);
    if (nullName && given.get(nullName) === "true") query.append(nullName, "true");
  }
  const search = resource.isSearchable ? (given.get("search") ?? "") : "";
  if (search) query.append("search", search);
  const updatedSince = given.get("updatedSince");
  if (updatedSince) query.append("updatedSince", updatedSince);
  const orders = sortsOf(resource, search !== "");
  query.append("sort", (orders.find(({ value }) => value === given.get("sort")) ?? orders[0])?.value ?? "-id");
  const after = given.get("after");
  if (after) query.append("after", after);
  return query;
}

/** Fields that are columns of every list. */
const ownFields = new Set(["id", "version", "createdAt", "updatedAt"]);
/** Other columns. A record has the rest. */
const mostColumns = 5;

/** Returns the fields that are columns of a list: the first ones, those that are one value before those that are more. */
export function columnsOf({ record }: Pick<Resource, "record">): string[] {
  const names = Object.keys(propertiesOf(record)).filter((name) => !ownFields.has(name));
  const isPlain = (name: string) => !["json", "long"].includes(fieldAt(record, name)?.kind ?? "json");
  const chosen = new Set([...names.filter(isPlain), ...names.filter((name) => !isPlain(name))].slice(0, mostColumns));
  return names.filter((name) => chosen.has(name));
}
