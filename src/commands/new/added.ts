/** The files that a generator adds to a project, and the next steps. */
export interface Added {
  /** Texts of the new files, by path in the project. */
  readonly files: Readonly<Record<string, string>>;
  /** The next steps, a command with its purpose each. */
  readonly next: readonly (readonly [command: string, purpose: string])[];
}
