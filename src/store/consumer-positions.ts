import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The position that the slowest embedded consumer of this log has settled; null: there are no such consumers. */
export function slowestConsumer(folder: string, logId: string): number | null {
  if (!existsSync(folder)) return null;
  const positions = [...new Bun.Glob("*.db").scanSync(folder)].map((file) => positionIn(join(folder, file), logId));
  return positions.length === 0 ? null : Math.min(...positions);
}

/** A consumer that has a file but no position yet is still at the beginning. */
function positionIn(file: string, logId: string): number {
  const db = new Database(file, { readonly: true });
  try {
    return db.query<{ position: number }, [string]>("SELECT position FROM progress WHERE log_id = ?").get(logId)?.position ?? 0;
  } finally {
    db.close();
  }
}
