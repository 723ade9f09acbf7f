import type { PostgresAddress } from "../../../config/postgres-url";

/** Returns a text that identifies a database: one transaction can write to all of its schemas. */
export function placeOf({ host, port, database }: PostgresAddress): string {
  return `${host}:${port}/${database}`;
}
