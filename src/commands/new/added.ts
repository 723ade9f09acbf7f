/** What a generator adds to a project. */
export interface Added {
  /** Texts of the new files, by path in the project. */
  readonly files: Readonly<Record<string, string>>;
  /** What to do next, a command with its purpose each. */
  readonly next: readonly (readonly [command: string, purpose: string])[];
}
