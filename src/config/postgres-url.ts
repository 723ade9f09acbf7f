import { isLoopback } from "./loopback";
import { belongTogether, holdsCertificate, holdsKey } from "./pem-files";
import { exposureOf } from "./secret-file";
import { parseWholeNumber } from "./whole-number";

/** How a connection is encrypted and its server verified, as PostgreSQL's own clients name it. */
export type SslMode = (typeof sslModes)[number];

/** Address of a PostgreSQL database, and of the schema in it that holds all that the service keeps. */
export interface PostgresAddress {
  readonly engine: "postgres";
  /** A host name, an IP address, or the folder of a Unix socket, which starts with `/`. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Empty if the URL has none. */
  readonly password: string;
  /** Name of the database. */
  readonly database: string;
  /** Name of the PostgreSQL schema. Default: `warren`. */
  readonly schema: string;
  /** Default: `verify-full`, or `disable` on loopback and sockets. */
  readonly sslMode: SslMode;
  /** PEM file with the certificates of the authorities to trust. Null trusts those of the system. */
  readonly caFile: string | null;
  /** PEM file with the client certificate. Null if not set. */
  readonly certFile: string | null;
  /** PEM file with the private key of the client certificate. Null if not set. */
  readonly keyFile: string | null;
  /** True if connections go through a pooler that may give each transaction another session, as PgBouncer's transaction mode does. */
  readonly isPooled: boolean;
  /** The address as messages show it, without user and password. */
  readonly shown: string;
}

const defaultSchema = "warren";
const defaultPort = 5432;
const sslModes = ["disable", "require", "verify-ca", "verify-full"] as const;
const form = "postgres://user:password@host:5432/database";
const parameters = ["host", "pgbouncer", "schema", "sslcert", "sslkey", "sslmode", "sslrootcert"];

/** Returns the address in a `postgres://` URL, or the mistakes in it, each as advice that shows no secret. */
export function postgresAddress(text: string): PostgresAddress | readonly string[] {
  const url = partsOf(text);
  if (!url) return [`use ${form}, with special characters in the password percent-encoded`];
  const { user, password, port, database } = url;
  const parameter = (name: string) => url.parameters.get(name) || undefined;
  const host = parameter("host") ?? url.host;
  const schema = parameter("schema") ?? defaultSchema;
  const modeText = parameter("sslmode") ?? (isLocal(host) ? "disable" : "verify-full");
  const sslMode = sslModes.find((mode) => mode === modeText);
  const files = { caFile: parameter("sslrootcert") ?? null, certFile: parameter("sslcert") ?? null, keyFile: parameter("sslkey") ?? null };
  const pooled = parameter("pgbouncer") ?? "false";
  const mistakes = [
    ...(user === "" ? [`name the user: ${form}`] : []),
    ...(database === "" || /[/\0]/.test(database) ? [`name one database: ${form}`] : []),
    ...(isHost(host) ? [] : ["name one host, or the folder of a socket: postgres://user@/database?host=/var/run/postgresql"]),
    ...(url.host === "" || parameter("host") === undefined ? [] : ["name the host once, in front of the port or as the parameter `host`"]),
    ...parameterMistakes(url.parameters),
    ...(isSchema(schema) ? [] : [`schema: use up to 40 of a-z, 0-9 and _, beginning with a letter, such as schema=${defaultSchema}`]),
    ...(pooled === "true" || pooled === "false" ? [] : ["pgbouncer: use true or false"]),
    ...(sslMode
      ? fileMistakes(sslMode, files)
      : [`sslmode: use ${sslModes.join(", ")}; the default is verify-full, and disable on loopback`]),
  ];
  if (mistakes.length > 0 || !sslMode) return mistakes;
  const shown = shownAddress(host, port, database, schema);
  return { engine: "postgres", host, port, user, password, database, schema, sslMode, ...files, isPooled: pooled === "true", shown };
}

/** Returns the decoded parts of a URL, or undefined if it is not valid. */
function partsOf(text: string) {
  // The platform's parser accepts a user only with a host. Without one, the host is a parameter.
  const url = URL.parse(text.replace(/^(\w+:\/\/[^/?#]*@)(?=[/:])/, "$1-"));
  const port = url?.port ? parseWholeNumber(url.port, 1, 65_535) : defaultPort;
  if (!url || !/^\w+:\/\/./.test(text) || port === undefined || url.hash !== "") return undefined;
  try {
    return {
      host: url.hostname === "-" ? "" : decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1"),
      port,
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
      parameters: url.searchParams,
    };
  } catch {
    return undefined;
  }
}

/** Returns whether a server is on this machine: on a loopback address or a Unix socket. */
export function isLocal(host: string): boolean {
  return host.startsWith("/") || isLoopback(host);
}

function isHost(host: string): boolean {
  return /^\/[^\0]*$|^[\w.-]+$|^[\da-f:.]+$/i.test(host);
}

function isSchema(name: string): boolean {
  return /^[a-z][a-z0-9_]{0,39}$/.test(name) && !/^(pg_|information_schema$)/.test(name);
}

function parameterMistakes(given: URLSearchParams): string[] {
  return [...new Set(given.keys())].flatMap((name) => {
    // Any other name may be part of a password with a question mark in it.
    if (!parameters.includes(name)) return [`use only the parameters ${parameters.join(", ")}`];
    return given.getAll(name).length > 1 ? [`set the parameter ${name} once`] : [];
  });
}

function fileMistakes(sslMode: SslMode, files: Pick<PostgresAddress, "caFile" | "certFile" | "keyFile">): string[] {
  const { caFile, certFile, keyFile } = files;
  if (sslMode === "disable") return (caFile ?? certFile ?? keyFile) === null ? [] : ["certificates require TLS; add sslmode=verify-full"];
  if ((certFile === null) !== (keyFile === null)) return ["sslcert and sslkey require each other; set both or neither"];
  if (caFile !== null && !holdsCertificate(caFile))
    return ["cannot read a certificate from the file in sslrootcert; use the path of a PEM file"];
  if (certFile === null || keyFile === null) return [];
  if (!holdsCertificate(certFile)) return ["cannot read a certificate from the file in sslcert; use the path of a PEM file"];
  if (!holdsKey(keyFile)) return ["cannot read a private key without a passphrase from the file in sslkey; use the path of a PEM file"];
  const exposure = exposureOf(keyFile);
  if (exposure !== undefined) return [`sslkey: ${exposure}`];
  return belongTogether(certFile, keyFile) ? [] : ["the key in sslkey does not match the certificate in sslcert"];
}

function shownAddress(host: string, port: number, database: string, schema: string): string {
  const isSocket = host.startsWith("/");
  const query = [...(isSocket ? [`host=${host}`] : []), ...(schema === defaultSchema ? [] : [`schema=${schema}`])].join("&");
  const place = isSocket ? (port === defaultPort ? "" : `:${port}`) : `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return `postgres://${place}/${encodeURIComponent(database)}${query && `?${query}`}`;
}
