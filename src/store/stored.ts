/** A record as it is stored: its JSON goes out as it stands. */
export interface Stored {
  readonly id: number;
  readonly version: number;
  readonly json: string;
}
