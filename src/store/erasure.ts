import type { Resource } from "../schema/resource";

/** A record whose data is taken out of the store. */
export interface ErasedRecord {
  readonly resource: Resource;
  readonly id: number;
}

/** The records and events that an erasure takes out, or would take out. */
export interface Erasure {
  /** The record, and before it those that are deleted with it as references say. */
  readonly records: readonly ErasedRecord[];
  /** The ids of the events that have their data. */
  readonly events: readonly string[];
}

/** Returns whether the JSON text of an event has the data of one of these records. A text that is cut off is searched, too. */
export function isAbout(records: readonly ErasedRecord[], body: string): boolean {
  return records.some(({ resource: { name }, id }) => body.includes(`"${name}":{"id":${id},`) || body.includes(`"${name}":{"id":${id}}`));
}

/** Returns a stored answer to a request without the data of a record. */
export function withoutData(record: ErasedRecord, answer: string): string {
  return answer
    .split("\n")
    .map((line) => lineWithout(record, line))
    .join("\n");
}

function lineWithout({ resource, id }: ErasedRecord, line: string): string {
  if (!line.includes(`"id":${id}`)) return line;
  try {
    const erase = (value: unknown): unknown => {
      if (typeof value !== "object" || value === null) return value;
      if (Array.isArray(value)) return value.map(erase);
      if (isRecord(resource, id, value)) return { id, version: value.version };
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, erase(part)]));
    };
    return JSON.stringify(erase(JSON.parse(line)));
  } catch {
    return line;
  }
}

/** Returns whether an object is a state of the record. One of another resource with the same id and only such fields is taken for it. */
function isRecord(
  { fields, record, past }: Resource,
  id: number,
  value: object,
): value is { readonly id: number; readonly version: number } {
  if (!("id" in value) || value.id !== id || !("version" in value)) return false;
  const schemas = [record, fields, ...past.filter(({ event }) => event === undefined).map((version) => version.fields)];
  return Object.keys(value).every((key) => schemas.some(({ properties }) => Object.hasOwn(properties, key)));
}
