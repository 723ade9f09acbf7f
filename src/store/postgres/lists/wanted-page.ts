import type { Given, ListConditions } from "../../list-conditions";
import type { Place } from "../../listing";
import type { StoredRow } from "../records/stored-row";
import type { ListReader } from "./list-reader";
import type { ListSlots } from "./list-slots";

/** A page to read, with the conditions that its records must match. */
export interface Wanted {
  readonly limit: number;
  readonly sort: readonly string[];
  readonly after: Place | undefined;
  readonly given: readonly Given[];
  /** Returns whether a record matches all conditions. */
  readonly matches: (row: StoredRow) => boolean;
}

/** How the lists of a resource are read. */
export interface ListMeans {
  readonly conditions: ListConditions;
  readonly slots: ListSlots;
  readonly reader: ListReader;
}
