import type { GroupCommit } from "./commit/group-commit";

/** Number of bytes to write: more than a typical change writes with its event and indexes. A disk with less space counts as full. */
const checkBytes = 64 * 1024;

/** Returns a function that rejects if the store cannot be written. It writes to find out, and concurrent calls share one write. */
export function writeCheck(commits: GroupCommit): () => Promise<void> {
  // Random data, because SQLite does not rewrite a page whose content stays the same.
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
