import { behindItsBack } from "./behind-its-back";
import type { Places } from "./engines";
import { schemaIn, sharedPostgres } from "./postgres";

/** Runs a script in the database of a store, as another program would. */
export async function evaluateIn({ database }: Places, script: string): Promise<void> {
  if (database.engine === "sqlite") behindItsBack(database.file, (db) => db.run(script));
  else await schemaIn(await sharedPostgres(), database.schema).evaluate(script);
}
