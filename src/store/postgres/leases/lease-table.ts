/** The lease of a task, as a process last saw it. */
export interface SeenLease {
  readonly epoch: number;
  /** Changes with each renewal. */
  readonly expiresAt: number;
  /** Time until it expires by the clock of the database, in milliseconds. Not positive if it has expired. */
  readonly leftMs: number;
}

/** The leases of all processes, in the database. Each method may reject if the database cannot be reached. */
export interface LeaseTable {
  /** Resolves with undefined if no process ever had the lease. */
  look(task: string): Promise<SeenLease | undefined>;
  /**
   * Takes a lease if it is still as it was seen. Resolves with its new epoch, or with undefined if another process was faster.
   *
   * @param seen undefined: no process ever had it.
   */
  take(task: string, seen: SeenLease | undefined): Promise<number | undefined>;
  /** Renews leases of this process, given with their epochs. Resolves with the tasks whose lease it still had. */
  renew(held: ReadonlyMap<string, number>): Promise<ReadonlySet<string>>;
  /** Lets other processes take a lease at once. */
  release(task: string, epoch: number): Promise<void>;
}
