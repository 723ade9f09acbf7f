import { dirname } from "node:path";
import { type ApiAccess, readApiAccess } from "./api-access";
import { readPemFiles } from "./pem-files";
import { redactUrl } from "./redact-url";
import { readTracing, type TracingConfig } from "./tracing";
import { wholeNumber } from "./whole-number";

export type LogLevel = (typeof logLevels)[number];
export type LogFormat = "pretty" | "json";

export interface Config extends ApiAccess {
  readonly port: number;
  /** Null: RABBITMQ_URL is `none`, so that a RabbitMQ is never looked for. */
  readonly rabbitmq: RabbitmqConfig | null;
  /** Path of the SQLite database that holds the resources and the event log. */
  readonly databaseFile: string;
  /** Where consumers keep their own files. */
  readonly dataDir: string;
  /** Events older than this are pruned once everybody has them; null keeps them for ever. */
  readonly eventRetentionMs: number | null;
  /** Signs what consumers announce; null: a file in the data folder has the key. */
  readonly warrenKey: string | null;
  /** Whether what could lose events, or comes from who knows where, is refused instead of warned of. */
  readonly strictTopology: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Null: nothing is traced. */
  readonly tracing: TracingConfig | null;
}

export interface RabbitmqConfig {
  readonly url: string;
  /** Whether RABBITMQ_URL is set. If it is not, no RabbitMQ at the default address means the embedded transport. */
  readonly explicit: boolean;
  /** The type of the queues that are declared for events and dead letters. */
  readonly queueType: "classic" | "quorum";
  /** Base URL of the management API of the same RabbitMQ, with user and password; null: it is not asked. */
  readonly managementUrl: string | null;
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

/** Every mistake in the environment, so that a person mends them in one go. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`}:\n${mistakes.map((line) => `  - ${line}`).join("\n")}`,
    );
  }
}

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const msPerUnit: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads the configuration from environment variables. A variable that is empty counts as not set.
 *
 * @param options.listens whether this program serves HTTP at HOST, where strangers may come; default: true.
 * @param options.isTerminal whether a person reads the log; decides the default of LOG_FORMAT.
 * @param options.environment default: the process's own, into which Bun has read the `.env` files.
 * @throws {ConfigError} that lists every bad variable with what would be right.
 */
export function readConfig({
  isTerminal,
  listens = true,
  environment = process.env,
}: {
  isTerminal: boolean;
  listens?: boolean;
  environment?: Readonly<Record<string, string | undefined>>;
}): Config {
  const mistakes: string[] = [];
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;

  /** Reads one variable: `parse` answers undefined for a bad value. */
  function variable<T>(name: string, fallback: T, parse: (text: string) => T | undefined, expected: string): T {
    const text = read(name);
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    mistakes.push(`${name}=${shownValue(name, text)}: ${expected}.`);
    return fallback;
  }

  // Its value is a secret, and so is not printed.
  const warrenKey = read("WARREN_KEY") ?? null;
  if (warrenKey !== null && !/^[\x21-\x7e]{32,200}$/.test(warrenKey)) {
    mistakes.push(
      "WARREN_KEY: use 32 to 200 characters without spaces, such as `openssl rand -base64 32` makes; the same for the API and its consumers.",
    );
  }

  const databaseFile = variable("DATABASE_URL", "data/warren.db", sqlitePath, "use sqlite:<path of a file>, such as sqlite:data/warren.db");
  const dataDir = read("DATA_DIR") ?? dirname(databaseFile);
  const access = readApiAccess(read, variable, mistakes, { listens, dataDir });
  const { caFile, certFile, keyFile } = readPemFiles(read, variable, mistakes);

  const rabbitmq: RabbitmqConfig = {
    url: variable(
      "RABBITMQ_URL",
      "amqp://guest:guest@localhost:5672",
      (text) => (text === "none" ? text : amqpUrl(text)),
      "use amqp://user:password@host:5672 or amqps://…, with special characters in the password percent-encoded; or `none` for the embedded transport",
    ),
    explicit: read("RABBITMQ_URL") !== undefined,
    queueType: variable(
      "QUEUE_TYPE",
      "classic",
      (text) => (text === "classic" || text === "quorum" ? text : undefined),
      "use classic, or quorum on a cluster of RabbitMQ",
    ),
    managementUrl: variable(
      "RABBITMQ_MANAGEMENT_URL",
      null,
      (text) => (/^https?:$/.test(URL.parse(text)?.protocol ?? "") ? text : undefined),
      "use http://user:password@host:15672 or https://…, the address of RabbitMQ's management plugin",
    ),
    caFile,
    certFile,
    keyFile,
  };
  if ((caFile ?? certFile ?? keyFile) && /^amqp:/i.test(rabbitmq.url)) {
    mistakes.push("RABBITMQ_CA_FILE, RABBITMQ_CERT_FILE and RABBITMQ_KEY_FILE are for amqps://, but RABBITMQ_URL connects without TLS.");
  }
  const config: Config = {
    port: variable(
      "PORT",
      3000,
      (text) => wholeNumber(text, 0, 65_535),
      "use a whole number from 0 (any free port) to 65535, such as 3000",
    ),
    ...access,
    rabbitmq: read("RABBITMQ_URL") === "none" ? null : rabbitmq,
    databaseFile,
    dataDir,
    eventRetentionMs: variable("EVENT_RETENTION", null, age, "use `forever`, or an age such as 30d, 12h, 45m or 90s"),
    warrenKey,
    strictTopology: variable("STRICT_TOPOLOGY", false, (text) => ({ on: true, off: false })[text], "use on or off"),
    logLevel: variable("LOG_LEVEL", "info", (text) => logLevels.find((level) => level === text), `use one of ${logLevels.join(", ")}`),
    logFormat: variable(
      "LOG_FORMAT",
      isTerminal ? "pretty" : "json",
      (text) => (text === "pretty" || text === "json" ? text : undefined),
      "use pretty or json",
    ),
    tracing: readTracing(read, variable),
  };
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config;
}

/** A bad value as it is shown. In a URL that is not valid a password may be anywhere, unless an @ says where it ends. */
function shownValue(name: string, text: string): string {
  if (/[@?]/.test(text)) return redactUrl(text);
  return /_(URL|ENDPOINT)$/.test(name) ? text.replace(/^(?!sqlite:)([a-z+]+:(?:\/\/)?)?.*/is, "$1***") : text;
}

function amqpUrl(text: string): string | undefined {
  const url = URL.parse(text);
  return url && /^amqps?:$/.test(url.protocol) && url.hostname ? text : undefined;
}

function sqlitePath(text: string): string | undefined {
  const path = /^sqlite:(?:\/\/(?=\/))?(?!\/\/)([^:?]+)$/.exec(text)?.[1];
  return path?.endsWith("/") ? undefined : path;
}

function age(text: string): number | null | undefined {
  if (text === "forever") return null;
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  return count && unit ? Number(count) * (msPerUnit[unit] ?? 0) : undefined;
}
