/** Stored records of a resource that do not match its schema. */
export interface InvalidRecords {
  readonly resource: string;
  /** The first invalid records, in ascending order of id. */
  readonly found: readonly { readonly id: number; readonly mistakes: string }[];
  /** True if there may be more invalid records than `found` lists. */
  readonly more: boolean;
}

/** Called every two seconds with the number of checked records of a resource. */
export type OnProgress = (resource: string, checked: number) => void;

export type RecordsCheck = (onProgress: OnProgress) => Promise<InvalidRecords[]>;
