import type { Stored } from "./stored";

/** By what a list is in order; records with the same time are in the order of their ids. */
export const sortKeys = ["id", "createdAt", "updatedAt"] as const;

export type SortKey = (typeof sortKeys)[number];

/** A place in a list: that of a record, whether or not it is still there. */
export interface Place {
  /** What the record had in the field that the list is sorted by. */
  readonly key: string | number;
  readonly id: number;
}

/** Which records of a list are wanted, and in what order. */
export interface Listing {
  /** How many at most. */
  readonly limit: number;
  /** Default: `id`. */
  readonly sort?: SortKey;
  readonly descending?: boolean;
  /** Only what comes after this place. */
  readonly after?: Place | undefined;
  /** Only what was changed then (ISO 8601, UTC) or later. */
  readonly updatedSince?: string | undefined;
  /** By the resource's own filters; all must match. */
  readonly filters?: Readonly<Record<string, Prefix | Range>>;
}

/** Text that begins so: by code points, upper and lower case being different, and with no wildcards. */
export interface Prefix {
  readonly prefix: string;
}

/** A number from `min` to `max`, both included. */
export interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** What was found of a list, and where to go on; null: there is no more. */
export interface Page {
  readonly rows: readonly Stored[];
  readonly next: Place | null;
}
