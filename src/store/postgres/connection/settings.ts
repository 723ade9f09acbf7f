import type { SQL } from "bun";
import type { PostgresAddress } from "../../../config/postgres-url";

/** Limits of time, in milliseconds. */
export interface Limits {
  /** Maximum duration of a statement. */
  readonly statementMs: number;
  /** Maximum wait of a statement for a lock. */
  readonly lockMs: number;
  /** Maximum pause between two statements of a transaction. */
  readonly idleInTransactionMs: number;
  /** Maximum duration of connecting. */
  readonly connectMs: number;
  /** Time without use after which a connection is closed: networks forget idle connections. */
  readonly idleMs: number;
  /** Age at which a connection that listens is replaced: on a cut network it hears nothing, and nothing says so. */
  readonly listenMs: number;
}

export const defaultLimits: Limits = {
  statementMs: 10_000,
  lockMs: 5000,
  idleInTransactionMs: 10_000,
  connectMs: 5000,
  idleMs: 300_000,
  listenMs: 60_000,
};

/**
 * Settings of connections that read. Each statement on them reads a range of an index with a limit, and is planned once: a plan by
 * statistics, which may be stale, could read a whole table instead.
 */
export const readSettings: Readonly<Record<string, string>> = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  plan_cache_mode: "force_generic_plan",
  max_parallel_workers_per_gather: "0",
};

/** Returns the settings of all connections. */
export function sessionSettings({ schema }: PostgresAddress, limits: Limits): Readonly<Record<string, string>> {
  return {
    search_path: `"${schema}"`,
    statement_timeout: String(limits.statementMs),
    lock_timeout: String(limits.lockMs),
    idle_in_transaction_session_timeout: String(limits.idleInTransactionMs),
    default_transaction_isolation: "read committed",
    client_min_messages: "warning",
    // Compiling a statement takes longer than any of these.
    jit: "off",
  };
}

/**
 * Returns the driver's options for one connection. All that the environment could set is set here.
 *
 * @param name appears as `application_name` in the server's list of connections.
 * @param settings more of the server's settings.
 */
export function connectionOptions(
  address: PostgresAddress,
  name: string,
  limits: Limits,
  settings: Readonly<Record<string, string>> = {},
): SQL.PostgresOrMySQLOptions {
  const { isPooled } = address;
  return {
    adapter: "postgres",
    // All of it is replaced below. Without it, the driver takes parameters from DATABASE_URL, such as ours for the schema.
    url: "postgres://localhost",
    hostname: address.host,
    port: address.port,
    username: address.user,
    password: address.password,
    database: address.database,
    max: 1,
    idleTimeout: limits.idleMs / 1000,
    maxLifetime: 0,
    connectionTimeout: limits.connectMs / 1000,
    channelBinding: address.sslMode === "disable" ? "disable" : "prefer",
    tls: tlsOptions(address),
    // The next statement may run in another session of the server, which has neither this one's settings nor its prepared statements.
    prepare: !isPooled,
    connection: { application_name: name, ...(!isPooled && { ...sessionSettings(address, limits), ...settings }) },
  };
}

function tlsOptions({ sslMode, caFile, certFile, keyFile }: PostgresAddress): SQL.TLSOptions | "disable" {
  if (sslMode === "disable") return "disable";
  return {
    // Said explicitly, since a variable of the environment could turn it off.
    rejectUnauthorized: sslMode !== "require",
    ...(caFile !== null && { ca: Bun.file(caFile) }),
    ...(certFile !== null && { cert: Bun.file(certFile) }),
    ...(keyFile !== null && { key: Bun.file(keyFile) }),
    ...(sslMode === "verify-ca" && { checkServerIdentity: () => undefined }),
  };
}
