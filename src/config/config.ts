import { dirname } from "node:path";
import { type ApiAccess, readApiAccess } from "./api-access";
import { type DatabaseAddress, defaultDatabase, parseDatabaseUrl } from "./database-url";
import { parseDuration } from "./duration";
import { type RabbitmqConfig, readRabbitmq } from "./rabbitmq";
import { redactUrl } from "./redact-url";
import { type RemoteApi, readRemoteApi } from "./remote-api";
import { readTracing, type TracingConfig } from "./tracing";
import type { ReadText, ReadVariable } from "./variable";
import { parseWholeNumber } from "./whole-number";

export type LogLevel = (typeof logLevels)[number];
export type LogFormat = "pretty" | "json";

export interface Config extends ApiAccess {
  /** Port to listen on. 0 means any free port. */
  readonly port: number;
  /** Null if RABBITMQ_URL is `none`, or is not set and the database is PostgreSQL: the program then never connects to RabbitMQ. */
  readonly rabbitmq: RabbitmqConfig | null;
  /** Address of the database that holds the resources and the event log. */
  readonly database: DatabaseAddress;
  /** The API through which handlers change records. Null: they change them in the database or, with SQLite, through its API on this machine. */
  readonly remoteApi: RemoteApi | null;
  /** Folder for the files of consumers. */
  readonly dataDir: string;
  /** Age in milliseconds after which events are pruned, once all consumers have them. Null keeps events forever. */
  readonly eventRetentionMs: number | null;
  /** Key that signs the announcements of consumers. Null if the key is in a file in the data folder. */
  readonly warrenKey: string | null;
  /** If true, refuse announcements without a signature and topology that could lose events. If false, only warn. */
  readonly strictTopology: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Tracing settings. Null disables tracing. */
  readonly tracing: TracingConfig | null;
}

/** Lists all mistakes in the environment variables, so that they can be fixed at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? "an error" : `${mistakes.length} errors`}:\n${mistakes.map((line) => `  - ${line}`).join("\n")}`,
    );
  }
}

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/**
 * Reads the configuration from environment variables. Empty variables count as not set.
 *
 * @param options.listens whether this program serves HTTP at HOST. If so, API_TOKEN is required when others can reach the API.
 *   Default: true.
 * @param options.defaultDataDir the folder of consumers if DATA_DIR is not set. Default: that of the SQLite database, or `data`.
 * @param options.isTerminal whether the log goes to a terminal. It determines the default of LOG_FORMAT.
 * @param options.environment the variables. Default: those of the process, which include Bun's `.env` files.
 * @throws {ConfigError} if any variables are invalid. It lists each of them with the valid values.
 */
export function readConfig({
  isTerminal,
  listens = true,
  defaultDataDir,
  environment = process.env,
}: {
  isTerminal: boolean;
  listens?: boolean;
  defaultDataDir?: string;
  environment?: Readonly<Record<string, string | undefined>>;
}): Config {
  const mistakes: string[] = [];
  const read: ReadText = (name) => environment[name]?.trim() || undefined;

  const variable: ReadVariable = (name, fallback, parse, expected) => {
    const text = read(name);
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    mistakes.push(`${name}=${shownValue(name, text)}: ${expected}.`);
    return fallback;
  };

  // The message does not show the value, which is a secret.
  const warrenKey = read("WARREN_KEY") ?? null;
  if (warrenKey !== null && !/^[\x21-\x7e]{32,200}$/.test(warrenKey)) {
    mistakes.push(
      "WARREN_KEY: use 32 to 200 characters without spaces, such as the output of `openssl rand -base64 32`. Use the same key for the API and its consumers.",
    );
  }

  const database = readDatabase(read("DATABASE_URL"), mistakes);
  const usualDataDir = dirname(database.engine === "sqlite" ? database.file : defaultDatabase.file);
  const dataDir = read("DATA_DIR") ?? defaultDataDir ?? usualDataDir;
  const access = readApiAccess(read, variable, mistakes, { listens, dataDir });
  const config: Config = {
    port: variable(
      "PORT",
      3000,
      (text) => parseWholeNumber(text, 0, 65_535),
      "use a whole number from 0 (any free port) to 65535, such as 3000",
    ),
    ...access,
    rabbitmq: readRabbitmq(read, variable, mistakes, database.engine === "postgres"),
    database,
    remoteApi: readRemoteApi(variable, access.apiTokens),
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

/** Returns the address in DATABASE_URL, or the default if the text is undefined or has mistakes. */
function readDatabase(text: string | undefined, mistakes: string[]): DatabaseAddress {
  if (text === undefined) return defaultDatabase;
  const parsed = parseDatabaseUrl(text);
  if (!("length" in parsed)) return parsed;
  for (const advice of parsed) mistakes.push(`DATABASE_URL=${shownValue("DATABASE_URL", text)}: ${advice}.`);
  return defaultDatabase;
}

/** Returns an invalid value without secrets. In an invalid URL without an @, the password may be anywhere. */
function shownValue(name: string, text: string): string {
  if (/[@?]/.test(text)) return redactUrl(text);
  return /_(URL|ENDPOINT)$/.test(name) ? text.replace(/^(?!sqlite:)([a-z+]+:(?:\/\/)?)?.*/is, "$1***") : text;
}

function age(text: string): number | null | undefined {
  return text === "forever" ? null : parseDuration(text);
}
