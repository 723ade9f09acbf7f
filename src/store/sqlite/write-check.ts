import type { GroupCommit } from "./group-commit";

/** More than a change of a record writes, with its event and every index: a disk that has room for less is full. */
const checkBytes = 64 * 1024;

/** Finds out whether the store can be written, by writing; those who ask at the same time share the answer. */
export function writeCheck(commits: GroupCommit): () => Promise<void> {
  // Other than what is there, which SQLite would not write again.
  const write = commits.uncommitted.prepare("INSERT OR REPLACE INTO warren_write_check VALUES (1, randomblob(?))");
  let checking: Promise<void> | undefined;
  return () => {
    checking ??= commits
      .run(() => write(checkBytes))
      .finally(() => {
        checking = undefined;
      });
    return checking;
  };
}
