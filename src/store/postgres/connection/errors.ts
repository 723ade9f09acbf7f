import { SQL } from "bun";
import { codeOf } from "../../../observe/error-code";
import { StoreAway, StoreUnavailable } from "../../errors";

/** The database refused a statement, which has no effect. Others may work. */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  constructor(
    message: string,
    /** The reason as five characters, such as `23505` for a duplicate key. */
    readonly sqlState: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The connection was lost before a statement was answered, so it may or may not have had its effect. */
export class OutcomeUnknown extends StoreUnavailable {}

/** Returns whether the transaction would probably succeed if it were made again: a deadlock or a conflict of transactions. */
export function isSerializationFailure(error: unknown): boolean {
  return error instanceof PostgresError && /^40/.test(error.sqlState);
}

/** Returns whether a table, a function or the schema that a statement of this program needs is missing, so somebody has removed it. */
export function isRemoved(error: unknown): boolean {
  return error instanceof PostgresError && /^(42P01|42883|3F000)$/.test(error.sqlState);
}

/** Returns whether the data of a statement is at fault: a value, a constraint or its size. */
export function isDataError(error: unknown): boolean {
  return error instanceof PostgresError && /^(22|23|54)/.test(error.sqlState);
}

const pooled = "Behind PgBouncer, add pgbouncer=true to DATABASE_URL.";

/** Errors of the server, by SQLSTATE or its first characters, that mean the store is unavailable. The most special come first. */
const troubles: readonly (readonly [state: RegExp, what: string, todo?: string])[] = [
  [/^28P01/, "refused the password", "Check the user and the password in DATABASE_URL."],
  [/^28/, "refused the user", "Check the user in DATABASE_URL, and the server's pg_hba.conf."],
  [/^3D000/, "does not have the database", "Create it with createdb, or check DATABASE_URL."],
  [/^25006/, "is read-only", "Use the address of the primary server in DATABASE_URL."],
  [/^53100/, "has a full disk", "Make room on it."],
  [/^53300/, "has no connection left", "Raise max_connections, or start fewer processes."],
  [/^53/, "lacks resources"],
  [/^55P03/, "held a lock for too long", "Look in pg_stat_activity for a transaction that has been open for a long time."],
  [/^57014/, "needed too long for a statement"],
  [/^25P0[34]/, "ended a transaction that took too long"],
  [/^57P03/, "is starting or stopping"],
  [/^57/, "ended the connection"],
  [/^(26000|42P05)/, "has other prepared statements than this program", pooled],
  [/^08/, "lost the connection"],
  [/^58/, "has a failure of its system"],
  [/^XX/, "has an internal error", "Its log says more. Its data may be damaged."],
];

/** Errors of the driver before a statement is sent. It had no effect. */
const notConnected = /^ERR_POSTGRES_(CONNECTION_(REFUSED|FAILED|TIMEOUT)|AUTHENTICATION|CHANNEL_BINDING|TLS|SASL|UNSUPPORTED_AUTH)/;
/** Errors of the driver about how this program calls it. */
const misused = /TAGGED|BINDING|TRANSACTION|ARRAY|PARAMETER|SYNTAX|UNSUPPORTED_(BYTEA|INTEGER|NUMERIC)|OVERFLOW/;
/** Codes with which TLS refuses a certificate. */
const badCertificate = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED|INVALID_PURPOSE/;
/** States of the server in which it never begins a statement. */
const notBegun = /^(28|3D000|53300|57P03|08001|08004|26000|42P05)/;

/** States of a server that takes no changes, whatever they are. */
const isForAll = /^(25006|28|3D000|53|57P03)/;

/**
 * Returns the error as this program knows it: {@link StoreUnavailable} or {@link OutcomeUnknown} with advice, {@link PostgresError},
 * or the error itself if it is not about the database.
 *
 * @param shown the database, as messages show it.
 */
export function translated(error: unknown, shown: string): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailable) return error;
  const code = codeOf(error);
  if (error instanceof SQL.PostgresError && error.errno) return fromServer(error, error.errno, shown);
  const text = (what: string) => `The database ${shown} ${what}: ${error.message}`;
  if (badCertificate.test(code) && !code.startsWith("ERR_POSTGRES")) {
    const advice = "Use the host name in its certificate, and sslrootcert=<file> in DATABASE_URL for an authority of your own.";
    return new StoreAway(`${text(`has a certificate that is not trusted (${code})`)}. ${advice}`, { cause: error });
  }
  if (code === "ERR_POSTGRES_TLS_NOT_AVAILABLE") {
    const advice = "Turn it on there (ssl = on), or add sslmode=disable to DATABASE_URL.";
    return new StoreAway(`The database ${shown} does not offer TLS. ${advice}`, { cause: error });
  }
  if (notConnected.test(code) || /^E[A-Z]+$/.test(code)) {
    const advice = "Check that it runs, and the host and the port in DATABASE_URL.";
    return new StoreAway(`${text("cannot be reached")}. ${advice}`, { cause: error });
  }
  const isLost = error instanceof SQL.PostgresError && !misused.test(code);
  return isLost ? new OutcomeUnknown(text("lost the connection"), { cause: error }) : error;
}

function fromServer(error: SQL.PostgresError, state: string, shown: string): Error {
  if (/^unsupported startup parameter/.test(error.message))
    return new StoreUnavailable(`The database ${shown} takes no settings (${error.message}). ${pooled}`, { cause: error });
  const trouble = troubles.find(([pattern]) => pattern.test(state));
  if (!trouble) return new PostgresError(`${state}: ${error.message}`, state, { cause: error });
  const [, what, todo] = trouble;
  const message = `The database ${shown} ${what} (${state}: ${error.message}).${todo === undefined ? "" : ` ${todo}`}`;
  // Only an error that leaves the connection open is sure to have undone the statement.
  const isUnknown = error.severity !== "ERROR" && !notBegun.test(state);
  return new (isUnknown ? OutcomeUnknown : isForAll.test(state) ? StoreAway : StoreUnavailable)(message, { cause: error });
}
