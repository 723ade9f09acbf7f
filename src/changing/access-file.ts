/** Returns the file that says how a process on this machine reaches the API that owns a database. */
export function accessFileOf(database: string): string {
  return `${database}.changes`;
}

/** The contents of the file. */
export interface Access {
  /** Path of a Unix socket. */
  readonly socket: string;
  readonly secret: string;
}
