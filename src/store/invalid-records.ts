/** Stored records of a resource that do not match its schema. */
export interface InvalidRecords {
  readonly resource: string;
  /** The first invalid records, in ascending order of id. */
  readonly found: readonly { readonly id: number; readonly mistakes: string }[];
  /** Whether there may be more invalid records than `found` lists. */
  readonly more: boolean;
}
