import { defaultLimits, readSettings, sessionSettings } from "../../../src/store/postgres/connection/settings";
import type { Pgbouncer } from "../../support/pgbouncer";
import type { OwnPostgres, PostgresSchema } from "../../support/postgres";

/** One way of a program to the database. */
export interface DatabaseWay {
  /** Port of the server that the program connects to, through its proxy. */
  readonly port: number;
  /** Prepares it for a schema that no program uses yet. */
  prepare(schema: PostgresSchema): Promise<void>;
  /** Returns the value of DATABASE_URL with the port of a proxy. */
  urlOf(schema: PostgresSchema, port: number): string;
}

/** The way of a program that connects to PostgreSQL itself, without TLS. */
export function directWay({ port }: OwnPostgres): DatabaseWay {
  return { port, prepare: async () => {}, urlOf: (schema, at) => urlWith(schema, at, {}) };
}

/** The way of a program that verifies the server's certificate. */
export function encryptedWay({ port }: OwnPostgres, authorityFile: string): DatabaseWay {
  const parameters = { sslmode: "verify-full", sslrootcert: authorityFile };
  return { port, prepare: async () => {}, urlOf: (schema, at) => urlWith(schema, at, parameters) };
}

/** The way of a program through a pooler in transaction mode, with a role of its own, which has the settings of the sessions. */
export function pooledWay(postgres: OwnPostgres, pooler: Pgbouncer): DatabaseWay {
  return {
    port: pooler.port,
    async prepare({ address }) {
      for (const [name, value] of Object.entries({ ...sessionSettings(address, defaultLimits), ...readSettings })) {
        await postgres.evaluate(`ALTER ROLE ${poolerRole} SET ${name} = ${value.startsWith('"') ? value : `'${value}'`}`);
      }
      await pooler.reconnect();
    },
    urlOf: (schema, at) => urlWith(schema, at, { pgbouncer: "true" }, poolerRole),
  };
}

/** Role of the programs that use the pooler. */
export const poolerRole = "service";

function urlWith(schema: PostgresSchema, port: number, parameters: Readonly<Record<string, string>>, user?: string): string {
  const url = new URL(schema.url);
  url.port = String(port);
  if (user) url.username = user;
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
