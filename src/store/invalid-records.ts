/** Records of a resource that its schema refuses. */
export interface InvalidRecords {
  readonly resource: string;
  /** The first of them, in the order of ids. */
  readonly found: readonly { readonly id: number; readonly mistakes: string }[];
  /** Whether there may be more. */
  readonly more: boolean;
}
