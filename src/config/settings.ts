import type { ApiToken } from "./api-access";
import type { Config } from "./config";
import { shownNodes } from "./node-urls";
import { redactUrl } from "./redact-url";

export const settingGroups = ["service", "rabbitmq", "access", "tracing"] as const;

/** A variable of the environment, as it may be shown. */
export interface ShownSetting {
  readonly name: string;
  readonly group: (typeof settingGroups)[number];
  /** The value in effect, without secrets. Null: nothing, or all of it is secret. */
  readonly value: string | null;
  /** True if the environment sets it. */
  readonly isSet: boolean;
  /** True if it has a secret, which `value` leaves out. */
  readonly isSecret: boolean;
}

type Values = Readonly<Record<string, string | null>>;

/** Variables whose value is a secret, or has one that no pattern finds. */
const secrets: ReadonlySet<string> = new Set(["WARREN_KEY", "API_TOKEN", "OTEL_EXPORTER_OTLP_HEADERS"]);

/**
 * Returns every variable of the environment with what is in effect, without secrets.
 *
 * @param environment that the configuration was read from. Default: that of the process.
 */
export function shownSettings(config: Config, environment: Readonly<Record<string, string | undefined>> = process.env): ShownSetting[] {
  const text = (name: string) => environment[name]?.trim() || null;
  const groups: Record<ShownSetting["group"], Values> = {
    service: serviceValues(config, text),
    rabbitmq: rabbitmqValues(config),
    access: accessValues(config),
    tracing: tracingValues(config, text),
  };
  return settingGroups.flatMap((group) =>
    Object.entries(groups[group]).map(([name, value]) => ({
      ...{ name, group, value },
      isSet: text(name) !== null,
      isSecret: secrets.has(name),
    })),
  );
}

type ReadText = (name: string) => string | null;

function serviceValues(config: Config, text: ReadText): Values {
  const { port, host, database, dataDir, eventRetentionMs, logLevel, logFormat } = config;
  return {
    PORT: String(port),
    HOST: host,
    DATABASE_URL: database.engine === "sqlite" ? `sqlite:${database.shown}` : database.shown,
    DATA_DIR: dataDir,
    EVENT_RETENTION: eventRetentionMs === null ? "forever" : (text("EVENT_RETENTION") ?? `${eventRetentionMs / 1000}s`),
    LOG_LEVEL: logLevel,
    LOG_FORMAT: logFormat,
    NO_COLOR: text("NO_COLOR"),
  };
}

function rabbitmqValues({ rabbitmq, strictTopology }: Config): Values {
  return {
    RABBITMQ_URL: rabbitmq?.shown ?? "none",
    RABBITMQ_CA_FILE: rabbitmq?.caFile ?? null,
    RABBITMQ_CERT_FILE: rabbitmq?.certFile ?? null,
    RABBITMQ_KEY_FILE: rabbitmq?.keyFile ?? null,
    QUEUE_TYPE: rabbitmq?.queueType ?? null,
    RABBITMQ_MANAGEMENT_URL: rabbitmq?.managementUrls ? shownNodes(rabbitmq.managementUrls) : null,
    WARREN_KEY: null,
    STRICT_TOPOLOGY: strictTopology ? "on" : "off",
  };
}

function accessValues(config: Config): Values {
  const { apiTokens, remoteApi, issuer, allowedHosts, rateLimit, trustedProxies, corsOrigins } = config;
  return {
    API_TOKEN: apiTokens.length === 0 ? "none" : apiTokens.map(described).join(", "),
    API_URL: remoteApi?.url ?? null,
    AUTH_ISSUER: issuer?.url ?? null,
    AUTH_AUDIENCE: issuer ? issuer.audiences.join(", ") : null,
    ALLOWED_HOSTS: allowedHosts === null ? "*" : allowedHosts.join(", ") || null,
    RATE_LIMIT: rateLimit === null ? "off" : String(rateLimit),
    TRUST_PROXY: String(trustedProxies),
    CORS_ORIGIN: corsOrigins.join(", ") || null,
    CONSOLE: config.console,
  };
}

/** Says what a token allows, and whose it is. */
function described({ scope, name }: ApiToken): string {
  return name === undefined ? scope : `${scope} (${name})`;
}

function tracingValues({ tracing }: Config, text: ReadText): Values {
  const url = (name: string) => {
    const set = text(name);
    return set && redactUrl(set);
  };
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url("OTEL_EXPORTER_OTLP_ENDPOINT"),
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    OTEL_EXPORTER_OTLP_HEADERS: null,
    OTEL_SERVICE_NAME: text("OTEL_SERVICE_NAME"),
    OTEL_RESOURCE_ATTRIBUTES: text("OTEL_RESOURCE_ATTRIBUTES"),
    OTEL_TRACES_SAMPLER: tracing?.sampler ?? null,
    OTEL_TRACES_SAMPLER_ARG: tracing ? String(tracing.ratio) : null,
    OTEL_BSP_SCHEDULE_DELAY: tracing ? String(tracing.scheduledDelayMillis) : null,
    OTEL_BSP_MAX_QUEUE_SIZE: tracing ? String(tracing.maxQueueSize) : null,
    OTEL_SDK_DISABLED: text("OTEL_SDK_DISABLED"),
    OTEL_TRACES_EXPORTER: text("OTEL_TRACES_EXPORTER"),
  };
}
