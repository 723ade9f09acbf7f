import type { PostgresAddress } from "../../config/postgres-url";
import type { Advice } from "../inspection";
import type { Queries } from "./queries";

/** Oldest version of PostgreSQL, as the server counts: 13.0. */
const oldest = 130_000;

interface Server {
  readonly number: number;
  readonly version: string;
  readonly encoding: string;
}

/** Resolves with why the server cannot keep the service's data, whatever its schema. */
export async function obstaclesOf({ query }: Queries, { shown, database }: PostgresAddress): Promise<Advice[]> {
  const [server] = await query<Server>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
       pg_encoding_to_char(encoding) AS encoding FROM pg_database WHERE datname = current_database()`,
  );
  if (!server) return [];
  const { number, version, encoding } = server;
  return [
    ...(number < oldest
      ? [{ what: `The database ${shown} is PostgreSQL ${version}`, todo: `Warren needs PostgreSQL ${oldest / 10_000} or newer.` }]
      : []),
    ...(encoding === "UTF8"
      ? []
      : [
          {
            what: `The database ${shown} has the encoding ${encoding}`,
            todo: `Use another database: createdb --encoding=UTF8 --template=template0 ${database}_utf8`,
          },
        ]),
  ];
}
