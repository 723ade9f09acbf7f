import type { PostgresAddress } from "../../../config/postgres-url";
import type { Advice } from "../../inspection";
import type { Queries } from "../connection/queries";
import { defaultLimits, readSettings, sessionSettings } from "../connection/settings";

/** Oldest version of PostgreSQL, as the server counts: 13.0. */
const oldest = 130_000;

interface Server {
  readonly number: number;
  readonly version: string;
  readonly encoding: string;
}

/** Resolves with why the server cannot keep the service's data, whatever its schema. */
export async function obstaclesOf(queries: Queries, address: PostgresAddress): Promise<Advice[]> {
  const { shown, database } = address;
  const [server] = await queries.query<Server>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
       pg_encoding_to_char(encoding) AS encoding FROM pg_database WHERE datname = current_database()`,
  );
  if (!server) return [];
  const { number, version, encoding } = server;
  return [
    ...(number < oldest
      ? [{ what: `The database ${shown} is PostgreSQL ${version}`, todo: `Warren needs PostgreSQL ${oldest / 10_000} or newer.` }]
      : []),
    ...(address.isPooled ? await pooledObstacles(queries, address) : []),
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

/** Limits that every session must have, so that one that hangs does not block the others. */
const limits = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];

/** Resolves with the settings that a pooler's sessions lack. They cannot come with the connection, so they are those of the role. */
async function pooledObstacles({ query }: Queries, address: PostgresAddress): Promise<Advice[]> {
  const { shown, schema, user, database } = address;
  const rows = await query<{ name: string; setting: string }>(
    "SELECT name, setting FROM pg_settings WHERE name = 'search_path' OR name = ANY($1)",
    limits,
  );
  const wrong = rows.filter(({ name, setting }) => (name === "search_path" ? setting.replaceAll('"', "") !== schema : setting === "0"));
  if (wrong.length === 0) return [];
  const settings = Object.entries({ ...sessionSettings(address, defaultLimits), ...readSettings });
  const script = settings.map(([name, value]) => `ALTER ROLE "${user}" IN DATABASE "${database}" SET ${name} = ${quoted(value)};`);
  return [
    {
      what: `The sessions of ${shown} behind the pooler lack settings (${wrong.map(({ name }) => name).join(", ")})`,
      todo: `Run this in the database, then restart the pooler, or RECONNECT in its console: ${script.join(" ")}`,
    },
  ];
}

/** Returns a value as SQL. A quoted identifier is one already. */
function quoted(value: string): string {
  return value.startsWith('"') ? value : `'${value}'`;
}
