import type { Places } from "./engines";
import { evaluateIn } from "./evaluate-in";

/** Makes the database of a store refuse each row of a table that has the text "bad" in a column, quotes included, with the error "refused". */
export async function refuseRows(places: Places, table: string, operation: "INSERT" | "UPDATE", column: string): Promise<void> {
  const isBad = `NEW.${column} LIKE '%"bad"%'`;
  const trigger = `CREATE TRIGGER refuse BEFORE ${operation} ON ${table}`;
  const inSqlite = `${trigger} WHEN ${isBad} BEGIN SELECT RAISE(ABORT, 'refused'); END`;
  const inPostgres = `
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE check_violation USING MESSAGE = 'refused'; END $$;
    ${trigger} FOR EACH ROW WHEN (${isBad}) EXECUTE FUNCTION refuse()`;
  await evaluateIn(places, places.database.engine === "sqlite" ? inSqlite : inPostgres);
}
