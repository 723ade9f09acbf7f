import { Database } from "bun:sqlite";

/** Changes a database as another program would. */
export function behindItsBack(file: string, change: (db: Database) => void): void {
  const db = new Database(file);
  change(db);
  db.close();
}
