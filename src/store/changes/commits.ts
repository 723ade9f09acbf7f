export interface RunOptions {
  /**
   * True if the change reads what can only be read exactly while nothing else is committed, such as a list or the log. An engine that
   * several processes write to keeps them from it meanwhile. Default: false.
   */
  readonly isExact?: boolean;
}

/** Runs changes, and commits those that arrive together in one transaction. */
export interface Commits {
  /**
   * Runs `change` and resolves with its result after the commit. `change` may run several times, but only one run is committed.
   * Rejects with what `change` throws, or with `StoreUnavailable` if the commit fails.
   */
  run<T>(change: () => T, options?: RunOptions): Promise<T>;
  /** Like {@link run}, but before the changes that wait. It sees the state that its caller has read, unless a group ran since. */
  runFirst<T>(change: () => T, options?: RunOptions): Promise<T>;
}
