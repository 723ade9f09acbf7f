import type { Database } from "bun:sqlite";

/** Returns a function that returns whether another connection has committed since the previous call. It takes microseconds. */
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
