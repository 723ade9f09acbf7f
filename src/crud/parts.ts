import { jsonResponse } from "../http/answer-headers";
import { HttpProblem } from "../http/problem";
import type { Dependencies } from "../routing/route";
import type { Recorded } from "../schema/record";
import type { Resource, ResourceTypes } from "../schema/resource";
import type { Stored } from "../store/stored";
import { etagOf } from "./preconditions";
import type { Schemas } from "./resource-schemas";

/** The parts that an operation of `crud()` is built from. */
export interface Parts<T extends ResourceTypes> extends Pick<Dependencies, "storeFor" | "log" | "catalogue"> {
  readonly resource: Resource<T>;
  readonly schemas: Schemas<T>;
}

/** @throws {HttpProblem} 404 if the store has no record with this id. */
export function found(stored: Stored | undefined, name: string, id: string): Stored {
  if (!stored) throw new HttpProblem(404, `There is no ${name} ${id}.`);
  return stored;
}

/**
 * Returns a response with the record and its ETag. The return type is `never` so that it fits the type the route declares.
 *
 * @param record as the store or a transaction returns it.
 * @param status default: 200.
 */
export function answer(record: Stored | Recorded<object>, status = 200, headers?: Readonly<Record<string, string>>): never {
  const stored = "createdAt" in record ? { version: record.version, json: JSON.stringify(record) } : record;
  return jsonResponse(stored.json, status, { etag: etagOf(stored), ...headers }) as never;
}

/** The status of a change that conflicts with another record, for the documentation. None if no such change is possible. */
export function conflicts({ unique }: Pick<Resource, "unique">): 409[] {
  return unique.length > 0 ? [409] : [];
}
