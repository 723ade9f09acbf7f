/** A stored record. Responses and events contain its JSON unchanged. */
export interface Stored {
  readonly id: number;
  readonly version: number;
  readonly json: string;
}
