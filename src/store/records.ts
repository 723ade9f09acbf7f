import type { Resource } from "../schema/resource";
import type { Stored } from "./stored";

/** Reads the API's records from another process, also while it runs. */
export interface RecordsReader {
  /** Resolves with up to `limit` records after an id, in the order of ids. */
  read(resource: Resource, after: number, limit: number): Promise<Stored[]>;
  /** Resolves with the highest id of a record, or 0 if there is none. */
  lastId(resource: Resource): Promise<number>;
  close(): void;
}
