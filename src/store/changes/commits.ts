/** Runs changes, and commits those that arrive together in one transaction. */
export interface Commits {
  /**
   * Runs `change` and resolves with its result after the commit. `change` may run several times, but only one run is committed.
   * Rejects with what `change` throws, or with `StoreUnavailable` if the commit fails.
   */
  run<T>(change: () => T): Promise<T>;
  /** Like {@link run}, but before the changes that wait. It sees the state that its caller has read, unless a group ran since. */
  runFirst<T>(change: () => T): Promise<T>;
}
