import type { Database } from "bun:sqlite";

/** Returns a function that tells whether another connection has committed since its last call. It costs microseconds. */
export function changesOf(db: Database): () => boolean {
  const dataVersion = db.prepare<{ data_version: number }, []>("PRAGMA data_version");
  let seen = 0;
  return () => {
    const now = dataVersion.get()?.data_version ?? 0;
    const changed = now !== seen;
    seen = now;
    return changed;
  };
}
