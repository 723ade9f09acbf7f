// Every variable of the environment, good and bad.
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type Config, ConfigError, readConfig } from "../src/config/config";
import type { NodeUrls } from "../src/config/node-urls";
import type { PostgresAddress } from "../src/config/postgres-url";
import type { RabbitmqConfig } from "../src/config/rabbitmq";
import { redactUrl } from "../src/config/redact-url";
import { certificateFor } from "./support/certificate";
import { writeSecret } from "./support/folder";
import { root } from "./support/processes";
import { useFolder } from "./support/use-folder";

type Environment = Record<string, string | undefined>;

const read = (environment: Environment, isTerminal = false) => readConfig({ isTerminal, environment });

function mistakesOf(environment: Environment): readonly string[] {
  try {
    read(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

/** With the environment as text for the name of the test. */
function titled<T>(cases: readonly [Environment, T][]): [string, Environment, T][] {
  return cases.map(([environment, expected]) => [JSON.stringify(environment), environment, expected]);
}

const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const traced = {
  endpoint: "http://collector:4318",
  sampler: "parentbased_always_on",
  ratio: 1,
  scheduledDelayMillis: 5000,
  maxQueueSize: 2048,
} as const;

const defaults: Config = {
  port: 3000,
  host: "127.0.0.1",
  rabbitmq: {
    urls: ["amqp://guest:guest@localhost:5672"],
    user: "guest",
    vhost: "/",
    shown: "amqp://***@localhost:5672",
    explicit: false,
    queueType: "classic",
    managementUrls: null,
    caFile: null,
    certFile: null,
    keyFile: null,
  },
  database: { engine: "sqlite", file: "data/warren.db", shown: "data/warren.db" },
  remoteApi: null,
  dataDir: "data",
  eventRetentionMs: null,
  apiTokens: [],
  issuer: null,
  tokenFile: null,
  allowedHosts: [],
  corsOrigins: [],
  trustedProxies: 0,
  rateLimit: null,
  console: "on",
  warrenKey: null,
  strictTopology: false,
  logLevel: "info",
  logFormat: "json",
  tracing: null,
};

describe("a good value", () => {
  const rabbitmq = (urls: NodeUrls, more: Partial<RabbitmqConfig>) => ({
    rabbitmq: { ...(defaults.rabbitmq as RabbitmqConfig), urls, explicit: true, ...more },
  });
  const postgres = (changed: Partial<PostgresAddress>): Partial<Config> => ({
    database: {
      engine: "postgres",
      host: "",
      port: 5432,
      user: "ada",
      password: "s3cret",
      database: "shop",
      schema: "warren",
      sslMode: "verify-full",
      caFile: null,
      certFile: null,
      keyFile: null,
      isPooled: false,
      shown: "",
      ...changed,
    },
    dataDir: "data",
    // PostgreSQL carries the events, so no RabbitMQ is looked for.
    rabbitmq: null,
  });
  const cases: [Environment, Partial<Config>][] = [
    [{}, {}],
    [
      { WARREN_KEY: "k".repeat(32), STRICT_TOPOLOGY: "on" },
      { warrenKey: "k".repeat(32), strictTopology: true },
    ],
    [collector, { tracing: traced }],
    [
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://other/v1/traces", ...collector },
      { tracing: { ...traced, endpoint: "https://other/v1/traces" } },
    ],
    [
      { ...collector, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
      { tracing: { ...traced, sampler: "traceidratio", ratio: 0.25 } },
    ],
    [
      { ...collector, OTEL_BSP_SCHEDULE_DELAY: "100", OTEL_BSP_MAX_QUEUE_SIZE: "64" },
      { tracing: { ...traced, scheduledDelayMillis: 100, maxQueueSize: 64 } },
    ],
    [{ ...collector, OTEL_SDK_DISABLED: "TRUE" }, {}],
    [{ ...collector, OTEL_TRACES_EXPORTER: "none" }, {}],
    // What is not used is nobody's mistake.
    [{ OTEL_TRACES_SAMPLER: "xray" }, {}],
    [{ PORT: "0" }, { port: 0 }],
    [{ PORT: "65535" }, { port: 65_535 }],
    [{ PORT: " 8080 " }, { port: 8080 }],
    [{ PORT: "" }, { port: 3000 }],
    [{ HOST: "localhost" }, { host: "localhost" }],
    [{ HOST: "::1" }, { host: "::1" }],
    [{ HOST: "127.0.0.2" }, { host: "127.0.0.2" }],
    [
      { HOST: "0.0.0.0", API_TOKEN: "none" },
      { host: "0.0.0.0", apiTokens: [], allowedHosts: [], rateLimit: 100 },
    ],
    [
      { HOST: "0.0.0.0", API_TOKEN: "12345678", RATE_LIMIT: "off" },
      { host: "0.0.0.0", apiTokens: [{ token: "12345678", scope: "admin" }], allowedHosts: null, rateLimit: null },
    ],
    // Open to whoever reaches it; a page that has its own name lead here must not.
    [{ API_TOKEN: "none" }, { allowedHosts: [] }],
    [{ API_TOKEN: "none", ALLOWED_HOSTS: "api, Api.Example.COM" }, { allowedHosts: ["api", "api.example.com"] }],
    [{ ALLOWED_HOSTS: "*" }, { allowedHosts: null }],
    [
      { API_TOKEN: "12345678", ALLOWED_HOSTS: "xn--bcher-kva.example" },
      { apiTokens: [{ token: "12345678", scope: "admin" }], allowedHosts: ["xn--bcher-kva.example"] },
    ],
    [
      { API_TOKEN: "abcdefgh, read:ijklmnop,write:Az09-._~+/==, admin:qrstuvwx" },
      {
        allowedHosts: null,
        apiTokens: [
          { token: "abcdefgh", scope: "admin" },
          { token: "ijklmnop", scope: "read" },
          { token: "Az09-._~+/==", scope: "write" },
          { token: "qrstuvwx", scope: "admin" },
        ],
      },
    ],
    [
      { API_TOKEN: "write:ada:abcdefgh,read:Grace.Hopper-2:ijklmnop" },
      {
        allowedHosts: null,
        apiTokens: [
          { token: "abcdefgh", scope: "write", name: "ada" },
          { token: "ijklmnop", scope: "read", name: "Grace.Hopper-2" },
        ],
      },
    ],
    // An issuer is as good as a token: others may reach the API, under any name.
    [
      { HOST: "0.0.0.0", AUTH_ISSUER: "https://id.example.com/realms/shop/", AUTH_AUDIENCE: "shop, shop-admin" },
      {
        host: "0.0.0.0",
        issuer: { url: "https://id.example.com/realms/shop/", audiences: ["shop", "shop-admin"] },
        allowedHosts: null,
        rateLimit: 100,
      },
    ],
    ...["http://localhost:8080/realms/shop", "http://127.0.0.1:9000", "http://[::1]:9000"].map((url): [Environment, Partial<Config>] => [
      { AUTH_ISSUER: url, AUTH_AUDIENCE: "shop" },
      { issuer: { url, audiences: ["shop"] }, allowedHosts: null },
    ]),
    [
      { CORS_ORIGIN: "https://app.example.com, http://localhost:5173" },
      { corsOrigins: ["https://app.example.com", "http://localhost:5173"] },
    ],
    [{ CORS_ORIGIN: "*" }, { corsOrigins: ["*"] }],
    [
      { TRUST_PROXY: "2", API_TOKEN: "none" },
      { trustedProxies: 2, rateLimit: 100 },
    ],
    [
      { TRUST_PROXY: "1", API_TOKEN: "12345678", RATE_LIMIT: "7" },
      { trustedProxies: 1, rateLimit: 7, apiTokens: [{ token: "12345678", scope: "admin" }], allowedHosts: null },
    ],
    [{ TRUST_PROXY: "0" }, { trustedProxies: 0 }],
    [
      { RABBITMQ_URL: "amqp://u:p@broker:5673/vhost" },
      rabbitmq(["amqp://u:p@broker:5673/vhost"], { user: "u", vhost: "vhost", shown: "amqp://***@broker:5673/vhost" }),
    ],
    [{ RABBITMQ_URL: "amqps://broker" }, rabbitmq(["amqps://broker"], { shown: "amqps://broker" })],
    ...[
      "amqp://u:p,w@a:1,b/a%2Fb?heartbeat=9",
      "amqp://u:p,w@a:1 , b/a%2Fb?heartbeat=9",
      "amqp://u:p,w@a:1/a%2Fb?heartbeat=9, amqp://u:p%2Cw@b/a%2fb?heartbeat=9",
    ].map((RABBITMQ_URL): [Environment, Partial<Config>] => [
      { RABBITMQ_URL },
      rabbitmq(expect.any(Array), { user: "u", vhost: "a/b", shown: "amqp://***@a:1,b/a%2Fb?***" }),
    ]),
    [
      { RABBITMQ_URL: "amqps://ada%40x:%C3%A9@a,[::1]:5673,c:5671" },
      rabbitmq(["amqps://ada%40x:%C3%A9@a", "amqps://ada%40x:%C3%A9@[::1]:5673", "amqps://ada%40x:%C3%A9@c:5671"], {
        user: "ada@x",
        shown: "amqps://***@a,[::1]:5673,c:5671",
      }),
    ],
    [
      { RABBITMQ_MANAGEMENT_URL: "http://u:p@a:15672,b:15672/base" },
      { rabbitmq: { ...(defaults.rabbitmq as RabbitmqConfig), managementUrls: ["http://u:p@a:15672/base", "http://u:p@b:15672/base"] } },
    ],
    [{ RABBITMQ_URL: "none" }, { rabbitmq: null }],
    [{ DATABASE_URL: "sqlite:shop.db" }, { database: { engine: "sqlite", file: "shop.db", shown: "shop.db" }, dataDir: "." }],
    [
      { DATABASE_URL: "sqlite:/var/lib/warren.db" },
      { database: { engine: "sqlite", file: "/var/lib/warren.db", shown: "/var/lib/warren.db" }, dataDir: "/var/lib" },
    ],
    [
      { DATABASE_URL: "sqlite:///var/lib/warren.db" },
      { database: { engine: "sqlite", file: "/var/lib/warren.db", shown: "/var/lib/warren.db" }, dataDir: "/var/lib" },
    ],
    [{ DATABASE_URL: "postgres://ada:s3cret@db.example/shop" }, postgres({ host: "db.example", shown: "postgres://db.example:5432/shop" })],
    [
      { DATABASE_URL: "POSTGRESQL://a%40da:s%2F3%20c@[fd00::1]:6432/my%20shop?sslmode=require&schema=s_1" },
      postgres({
        host: "fd00::1",
        port: 6432,
        user: "a@da",
        password: "s/3 c",
        database: "my shop",
        schema: "s_1",
        sslMode: "require",
        shown: "postgres://[fd00::1]:6432/my%20shop?schema=s_1",
      }),
    ],
    ...["localhost", "127.0.0.1", "::1"].map((host): [Environment, Partial<Config>] => {
      const inUrl = host === "::1" ? "[::1]" : host;
      const shown = `postgres://${inUrl}:5432/shop`;
      return [{ DATABASE_URL: `postgres://ada:s3cret@${inUrl}/shop` }, postgres({ host, sslMode: "disable", shown })];
    }),
    ...["postgres://ada@/shop?host=/run/postgresql", "postgres://ada@%2Frun%2Fpostgresql/shop"].map(
      (url): [Environment, Partial<Config>] => [
        { DATABASE_URL: url },
        postgres({ host: "/run/postgresql", password: "", sslMode: "disable", shown: "postgres:///shop?host=/run/postgresql" }),
      ],
    ),
    [
      { DATABASE_URL: "postgres://ada:s3cret@localhost/shop?pgbouncer=true" },
      postgres({ host: "localhost", sslMode: "disable", isPooled: true, shown: "postgres://localhost:5432/shop" }),
    ],
    [
      { DATABASE_URL: "postgres://ada:s3cret@localhost:80/shop?sslmode=verify-ca", DATA_DIR: "/elsewhere" },
      { ...postgres({ host: "localhost", port: 80, sslMode: "verify-ca", shown: "postgres://localhost:80/shop" }), dataDir: "/elsewhere" },
    ],
    [{ DATA_DIR: "/elsewhere" }, { dataDir: "/elsewhere" }],
    [{ EVENT_RETENTION: "forever" }, { eventRetentionMs: null }],
    [{ EVENT_RETENTION: "30d" }, { eventRetentionMs: 2_592_000_000 }],
    [{ EVENT_RETENTION: "12h" }, { eventRetentionMs: 43_200_000 }],
    [{ EVENT_RETENTION: "45m" }, { eventRetentionMs: 2_700_000 }],
    [{ EVENT_RETENTION: "90s" }, { eventRetentionMs: 90_000 }],
    [{ RATE_LIMIT: "off" }, { rateLimit: null }],
    [{ RATE_LIMIT: "50" }, { rateLimit: 50 }],
    ...(["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const).map((logLevel): [Environment, Partial<Config>] => [
      { LOG_LEVEL: logLevel },
      { logLevel },
    ]),
    [{ LOG_FORMAT: "pretty" }, { logFormat: "pretty" }],
    [{ LOG_FORMAT: "json" }, { logFormat: "json" }],
  ];
  test.each(titled(cases))("%s", (_, environment, changed) => {
    expect(read(environment)).toEqual({ ...defaults, ...changed });
  });

  test("the log is pretty for a person, unless it is asked to be json", () => {
    expect(read({}, true).logFormat).toBe("pretty");
    expect(read({ LOG_FORMAT: "json" }, true).logFormat).toBe("json");
  });
});

describe("an invalid value is refused, with valid values", () => {
  const cases: [Environment, string][] = [
    [{ PORT: "http" }, "PORT=http: use a whole number from 0 (any free port) to 65535, such as 3000."],
    [{ PORT: "65536" }, "PORT=65536: use a whole number"],
    [{ PORT: "-1" }, "PORT=-1: use a whole number"],
    [{ PORT: "80.5" }, "PORT=80.5: use a whole number"],
    [{ PORT: "0x50" }, "PORT=0x50: use a whole number"],
    [{ HOST: "0.0.0.0" }, "HOST=0.0.0.0 is reachable from other machines, so API_TOKEN is required"],
    [{ HOST: "::" }, "HOST=:: is reachable"],
    [{ TRUST_PROXY: "1" }, "TRUST_PROXY=1 means that clients reach the API through a proxy, so API_TOKEN is required"],
    [{ AUTH_ISSUER: "https://id.example.com" }, "AUTH_ISSUER requires AUTH_AUDIENCE"],
    [{ AUTH_AUDIENCE: "shop" }, "AUTH_AUDIENCE requires AUTH_ISSUER"],
    [{ AUTH_ISSUER: "https://id.example.com", AUTH_AUDIENCE: "shop,,x" }, "AUTH_AUDIENCE=shop,,x: use the `aud` claim"],
    [
      { AUTH_AUDIENCE: "shop", AUTH_ISSUER: "http://id.example.com" },
      "AUTH_ISSUER=http://id.example.com: use the https:// URL of an OpenID Connect issuer",
    ],
    [{ AUTH_AUDIENCE: "shop", AUTH_ISSUER: "id.example.com" }, "AUTH_ISSUER=id.example.com: use the https:// URL"],
    [{ AUTH_AUDIENCE: "shop", AUTH_ISSUER: "https://u:p@id.example.com" }, "AUTH_ISSUER=https://***@id.example.com: use"],
    [
      { AUTH_AUDIENCE: "shop", AUTH_ISSUER: "https://id.example.com/?tenant=1" },
      "AUTH_ISSUER=https://id.example.com/?***: use the https:// URL",
    ],
    [
      { AUTH_ISSUER: "https://id.example.com", AUTH_AUDIENCE: "shop", API_TOKEN: "none" },
      "API_TOKEN=none disables authentication, but AUTH_ISSUER requires it",
    ],
    [{ ALLOWED_HOSTS: "api.example.com:80" }, "ALLOWED_HOSTS=api.example.com:80: use host names without ports"],
    [{ ALLOWED_HOSTS: "https://api.example.com" }, "use host names"],
    [{ ALLOWED_HOSTS: "api,,b" }, "use host names"],
    [{ ALLOWED_HOSTS: "*.example.com" }, "use host names"],
    [{ API_TOKEN: "generate,abcdefgh" }, "API_TOKEN: use tokens of"],
    [{ HOST: "example.org" }, "HOST=example.org is reachable"],
    [{ API_TOKEN: "short" }, "API_TOKEN: use tokens of at least 8 letters, digits or -._~+/"],
    [{ API_TOKEN: "raed:abcdefgh" }, "API_TOKEN: use tokens of"],
    [{ API_TOKEN: "read:" }, "API_TOKEN: use tokens of"],
    [{ API_TOKEN: "ada:abcdefgh" }, "API_TOKEN: use tokens of"],
    [{ API_TOKEN: "read:write:abcdefgh" }, "API_TOKEN: use tokens of"],
    [{ API_TOKEN: "read:a b:abcdefgh" }, "API_TOKEN: use tokens of"],
    [{ API_TOKEN: "read:short" }, "API_TOKEN: use tokens of"],
    [
      { CORS_ORIGIN: "app.example.com" },
      "CORS_ORIGIN=app.example.com: use origins separated by commas, such as https://app.example.com, or `*` for all.",
    ],
    [{ CORS_ORIGIN: "https://app.example.com/" }, "CORS_ORIGIN=https://app.example.com/: use origins"],
    [{ CORS_ORIGIN: "https://app.example.com,*" }, "use origins"],
    [{ CORS_ORIGIN: "null" }, "use origins"],
    [{ TRUST_PROXY: "true" }, "TRUST_PROXY=true: use the number of proxies in front of the service, 0 to 10."],
    [{ API_TOKEN: "long enough, but a space" }, "API_TOKEN: use tokens of"],
    [{ API_TOKEN: "abcdefgh,," }, "API_TOKEN: use tokens of"],
    [{ API_TOKEN: "abcdefgh,none" }, "API_TOKEN: use tokens of"],
    [{ API_TOKEN: "pässwörter" }, "API_TOKEN: use tokens of"],
    [{ RABBITMQ_URL: "http://localhost" }, "use amqp://user:password@host:5672 or amqps://…"],
    [{ RABBITMQ_URL: "localhost:5672" }, "use amqp://user:password@host:5672"],
    [{ RABBITMQ_URL: "amqp://" }, "use amqp://user:password@host:5672"],
    [{ RABBITMQ_URL: "yes" }, "or `none` for the embedded transport"],
    [{ RABBITMQ_URL: "amqp://user:p%zz@host" }, "special characters in the password percent-encoded"],
    [{ RABBITMQ_URL: "amqp://host:0" }, "use amqp://user:password@host:5672"],
    [{ RABBITMQ_URL: "amqp://u:p@a,,c" }, "RABBITMQ_URL: node 2 of 3 is not a host with a port."],
    [{ RABBITMQ_URL: "amqp://u:p@a,b," }, "node 3 of 3 is not a host with a port"],
    [{ RABBITMQ_URL: "amqp://u:p@a,b:70000" }, "node 2 of 2 is not a host with a port"],
    [{ RABBITMQ_URL: "amqp://u:p@a,http://u:p@b" }, "RABBITMQ_URL: node 2 of 2 is not a host with a port."],
    [
      { RABBITMQ_URL: "amqp://u:p@a/shop,b/shop" },
      "a comma after the first slash separates no nodes; write it as %2C, or name all hosts before the slash",
    ],
    [{ RABBITMQ_URL: "amqp://u:p@a,u:p@b" }, "after a comma comes a host, or a complete URL; write an @ in the password as %40"],
    [{ RABBITMQ_URL: "amqp://u:p@a,amqps://u:p@b" }, "node 2 has another scheme than node 1; the nodes of a cluster have the same"],
    [{ RABBITMQ_URL: "amqp://u:p@a,amqp://u:p@b,amqp://c" }, "node 3 has another user or password than node 1"],
    [{ RABBITMQ_URL: "amqp://u:p@a/x,amqp://u:p@b/y" }, "node 2 has another path than node 1"],
    [{ RABBITMQ_URL: "amqp://a?heartbeat=5,amqp://b" }, "node 2 has another query than node 1"],
    [{ RABBITMQ_URL: "amqp://a,b,A:5672" }, "node 3 is already in the list"],
    [{ RABBITMQ_MANAGEMENT_URL: "http://a:15672,http://a:15672" }, "RABBITMQ_MANAGEMENT_URL: node 2 is already in the list."],
    [
      { RABBITMQ_CA_FILE: "/no/such/ca.pem" },
      "RABBITMQ_CA_FILE=/no/such/ca.pem: cannot read a certificate from this file; use the path of a PEM file.",
    ],
    [{ DATABASE_URL: "warren.db" }, "use sqlite:<path>, such as sqlite:data/warren.db, or postgres://user:password@host:5432/database."],
    [{ DATABASE_URL: "postgres://" }, "DATABASE_URL=postgres://***: use postgres://user:password@host:5432/database"],
    [{ DATABASE_URL: "postgres:ada@db/shop" }, "use postgres://user:password@host:5432/database"],
    [{ DATABASE_URL: "postgres://ada:s3cret@db:99999/shop" }, "use postgres://user:password@host:5432/database"],
    [{ DATABASE_URL: "postgres://ada:s3cret@db:0/shop" }, "use postgres://user:password@host:5432/database"],
    [{ DATABASE_URL: "postgres://ada:100%@db/shop" }, "special characters in the password percent-encoded"],
    [{ DATABASE_URL: "postgres://ada:s#cret@db/shop" }, "special characters in the password percent-encoded"],
    [{ DATABASE_URL: "postgres://db/shop" }, "DATABASE_URL=postgres://***: name the user"],
    [{ DATABASE_URL: "postgres://ada:s3cret@db" }, "DATABASE_URL=postgres://***@db: name one database: postgres://user"],
    [{ DATABASE_URL: "postgres://ada:s3cret@db/shop/x" }, "name one database"],
    [{ DATABASE_URL: "postgres://ada:s3cret@/shop" }, "name one host, or the folder of a socket"],
    [{ DATABASE_URL: "postgres://ada:s3cret@a,b/shop" }, "name one host"],
    [{ DATABASE_URL: "postgres://ada@db/shop?host=/run" }, "name the host once"],
    [{ DATABASE_URL: "postgres://ada@db/shop?schema=Shop" }, "schema: use up to 40 of a-z, 0-9 and _"],
    [{ DATABASE_URL: "postgres://ada@db/shop?schema=pg_shop" }, "schema: use"],
    [{ DATABASE_URL: `postgres://ada@db/shop?schema=${"s".repeat(41)}` }, "schema: use"],
    [{ DATABASE_URL: "postgres://ada@db/shop?sslmode=prefer" }, "sslmode: use disable, require, verify-ca, verify-full; the default is"],
    [{ DATABASE_URL: "postgres://ada@db/shop?pgbouncer=yes" }, "pgbouncer: use true or false"],
    [
      { DATABASE_URL: "postgres://ada@db/shop?ssl=true" },
      "use only the parameters host, pgbouncer, schema, sslcert, sslkey, sslmode, sslrootcert",
    ],
    [{ DATABASE_URL: "postgres://ada@db/shop?sslmode=require&sslmode=disable" }, "set the parameter sslmode once"],
    [{ DATABASE_URL: "postgres://ada@db/shop?sslrootcert=/no/such.pem" }, "cannot read a certificate from the file in sslrootcert"],
    [{ DATABASE_URL: "postgres://ada@localhost/shop?sslrootcert=/a.pem" }, "certificates require TLS; add sslmode=verify-full"],
    [{ DATABASE_URL: "postgres://ada@db/shop?sslcert=/a.pem" }, "sslcert and sslkey require each other"],
    [{ DATABASE_URL: "sqlite:" }, "use sqlite:<path>"],
    [{ DATABASE_URL: "sqlite:data/" }, "use sqlite:<path>"],
    [{ DATABASE_URL: "sqlite::memory:" }, "use sqlite:<path>"],
    [{ DATABASE_URL: "sqlite://data/warren.db" }, "use sqlite:<path>"],
    [{ DATABASE_URL: "mysql://localhost/shop" }, "use sqlite:<path>"],
    [{ EVENT_RETENTION: "30" }, "EVENT_RETENTION=30: use `forever`, or an age such as 30d, 12h, 45m or 90s."],
    [{ EVENT_RETENTION: "0d" }, "EVENT_RETENTION=0d: use `forever`"],
    [{ EVENT_RETENTION: "never" }, "EVENT_RETENTION=never: use `forever`"],
    [{ EVENT_RETENTION: "1y" }, "EVENT_RETENTION=1y: use `forever`"],
    [{ RATE_LIMIT: "0" }, "RATE_LIMIT=0: use `off`, or the maximum number of requests per second for each client, such as 100."],
    [{ RATE_LIMIT: "1000001" }, "RATE_LIMIT=1000001: use `off`"],
    [{ LOG_LEVEL: "loud" }, "LOG_LEVEL=loud: use one of trace, debug, info, warn, error, fatal, silent."],
    [{ LOG_LEVEL: "INFO" }, "LOG_LEVEL=INFO: use one of"],
    [{ LOG_FORMAT: "xml" }, "LOG_FORMAT=xml: use pretty or json."],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318" },
      "use the URL of a collector that accepts OTLP over HTTP, such as http://localhost:4318.",
    ],
    [{ ...collector, OTEL_TRACES_SAMPLER: "xray" }, "OTEL_TRACES_SAMPLER=xray: use one of parentbased_always_on, "],
    [{ ...collector, OTEL_TRACES_SAMPLER_ARG: "2" }, "OTEL_TRACES_SAMPLER_ARG=2: use a ratio from 0 to 1, such as 0.1."],
    [{ ...collector, OTEL_BSP_SCHEDULE_DELAY: "0" }, "OTEL_BSP_SCHEDULE_DELAY=0: use milliseconds, such as 5000."],
    [{ ...collector, OTEL_BSP_MAX_QUEUE_SIZE: "many" }, "OTEL_BSP_MAX_QUEUE_SIZE=many: use a number of spans, such as 2048."],
  ];
  test.each(titled(cases))("%s", (_, environment, expected) => {
    const mistakes = mistakesOf(environment);
    expect(mistakes).toHaveLength(1);
    const name = Object.keys(environment).at(-1) ?? "";
    expect(mistakes[0]).toStartWith(name);
    expect(mistakes[0]).toContain(expected);
  });

  test("every mistake in the address of PostgreSQL is named", () => {
    expect(mistakesOf({ DATABASE_URL: "postgres://:s3cret@db/?schema=1&sslmode=on&user=ada" })).toEqual(
      [
        "name the user: postgres://user:password@host:5432/database.",
        "name one database: postgres://user:password@host:5432/database.",
        "use only the parameters host, pgbouncer, schema, sslcert, sslkey, sslmode, sslrootcert.",
        "schema: use up to 40 of a-z, 0-9 and _, beginning with a letter, such as schema=warren.",
        "sslmode: use disable, require, verify-ca, verify-full; the default is verify-full, and disable on loopback.",
      ].map((advice) => `DATABASE_URL=postgres://***@db/?***: ${advice}`),
    );
  });

  test("every mistake at once, each on its own line, after a line that counts them", () => {
    const bad = {
      PORT: "x",
      HOST: "0.0.0.0",
      RABBITMQ_URL: "x",
      DATABASE_URL: "x",
      EVENT_RETENTION: "x",
      RATE_LIMIT: "x",
      LOG_LEVEL: "x",
      LOG_FORMAT: "x",
    };
    expect(mistakesOf(bad).map((line) => line.split(/[= ]/)[0])).toEqual([
      "DATABASE_URL",
      "HOST",
      "RATE_LIMIT",
      "PORT",
      "RABBITMQ_URL",
      "EVENT_RETENTION",
      "LOG_LEVEL",
      "LOG_FORMAT",
    ]);
    expect(() => read(bad)).toThrow(/^The configuration has 8 errors:\n {2}- DATABASE_URL=.*\n {2}- HOST=0.0.0.0 /);
    expect(() => read({ PORT: "x" })).toThrow(/^The configuration has an error:\n {2}- PORT=x: .*\.$/);
  });
});

describe("certificates", () => {
  const folder = useFolder();

  const file = async (name: string, text: string) => {
    const path = join(folder.path, name);
    writeSecret(path, text);
    return path;
  };

  test("files that hold what they should are taken", async () => {
    const pair = certificateFor("client");
    const [ca, cert, key] = [await file("ca", certificateFor("ca").cert), await file("cert", pair.cert), await file("key", pair.key)];
    const environment = { RABBITMQ_URL: "amqps://broker", RABBITMQ_CA_FILE: ca, RABBITMQ_CERT_FILE: cert, RABBITMQ_KEY_FILE: key };
    expect(read(environment).rabbitmq).toEqual({
      urls: ["amqps://broker"],
      user: "guest",
      vhost: "/",
      shown: "amqps://broker",
      explicit: true,
      queueType: "classic" as const,
      managementUrls: null,
      caFile: ca,
      certFile: cert,
      keyFile: key,
    });
    const together = "RABBITMQ_CERT_FILE and RABBITMQ_KEY_FILE require each other. Set both or neither.";
    expect(mistakesOf({ ...environment, RABBITMQ_KEY_FILE: "" })).toEqual([together]);
    expect(mistakesOf({ ...environment, RABBITMQ_CERT_FILE: "" })).toEqual([together]);
    expect(mistakesOf({ ...environment, RABBITMQ_CERT_FILE: ca })).toEqual([
      "The key in RABBITMQ_KEY_FILE does not match the certificate in RABBITMQ_CERT_FILE.",
    ]);
    const withoutTls = [
      "RABBITMQ_CA_FILE, RABBITMQ_CERT_FILE and RABBITMQ_KEY_FILE require TLS. Use amqps:// in RABBITMQ_URL, or unset them.",
    ];
    expect(mistakesOf({ RABBITMQ_CA_FILE: ca })).toEqual(withoutTls);
    expect(mistakesOf({ ...environment, RABBITMQ_URL: "amqp://broker" })).toEqual(withoutTls);
    expect(mistakesOf({ ...environment, RABBITMQ_URL: "none" })).toEqual([]);
  });

  test("a folder, and a file that holds something else, are not", async () => {
    const { cert, key } = certificateFor("client");
    const [certFile, keyFile] = [await file("cert", cert), await file("key", key)];
    const mistakes = mistakesOf({
      RABBITMQ_URL: "amqps://broker",
      RABBITMQ_CA_FILE: folder.path,
      RABBITMQ_CERT_FILE: keyFile,
      RABBITMQ_KEY_FILE: certFile,
    });
    expect(mistakes).toEqual([
      `RABBITMQ_CA_FILE=${folder.path}: cannot read a certificate from this file; use the path of a PEM file.`,
      `RABBITMQ_CERT_FILE=${keyFile}: cannot read a certificate from this file; use the path of a PEM file.`,
      `RABBITMQ_KEY_FILE=${certFile}: cannot read a private key without a passphrase from this file; use the path of a PEM file.`,
    ]);
  });
});

describe("secrets are not in the messages", () => {
  test.each([
    { RABBITMQ_URL: "http://user:s3cret@host/" },
    { RABBITMQ_URL: "user:s3cret@host" },
    { RABBITMQ_URL: "amqp//user:s3cret@host" },
    { RABBITMQ_URL: "amqp://user:s3cret@host:port/" },
    { RABBITMQ_URL: "amqp://user:\ns3cret@host:port/" },
    // Without an @, which a person may have forgotten or written as %40.
    { RABBITMQ_URL: "amqp://user:s3cret" },
    { RABBITMQ_URL: "amqp://user:s3cret%40host:5672" },
    { RABBITMQ_URL: "user:s3cret" },
    { RABBITMQ_URL: "s3cret" },
    { RABBITMQ_URL: "amqp://user:s3cret@a,user:s3cret@b" },
    { RABBITMQ_URL: "amqp://user:s3,cret" },
    { RABBITMQ_URL: "amqp://user:s3cret@a,s3cret", RABBITMQ_MANAGEMENT_URL: "http://user:s3cret@a,b:s3cret" },
    { RABBITMQ_URL: "amqp://user:s3cret@a,amqp://user:s3cret2@b" },
    { DATABASE_URL: "postgres://user:s3cret@host/db?x=1" },
    { DATABASE_URL: "postgres://user:s3/cret@host/db" },
    { DATABASE_URL: "postgres://user:x?s3cret@host/db" },
    { DATABASE_URL: "postgres://user:s3cret" },
    { DATABASE_URL: "mysql://user:s3cret" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "user:s3cret@host" },
    { CORS_ORIGIN: "https://user:s3cret@app.example" },
    { CORS_ORIGIN: "https://app.example/?token=s3cret" },
    { CORS_ORIGIN: "https://good.example, user:s3cret,s3cret@app.example" },
    { HOST: "user:s3cret@0.0.0.0" },
    { RABBITMQ_URL: "http://localhost/?password=s3cret" },
    { DATABASE_URL: "postgres://ada@localhost/x?password=s3cret" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318/?key=s3cret" },
    { PORT: "amqp://user:s3cret@host" },
    { API_TOKEN: "s3cret" },
    { API_TOKEN: "not-s3cret-enough, s3cret" },
  ])("%j", (environment: Environment) => {
    expect(mistakesOf(environment)).toHaveLength(1);
    expect(() => read(environment)).not.toThrow(/s3cret/);
  });

  test("nor is the query of a URL that is right", () => {
    expect(redactUrl("amqps://user:s3cret@host:5671/shop?password=s3cret&heartbeat=5")).toBe("amqps://***@host:5671/shop?***");
    expect(redactUrl("https://collector.example/v1?key=s3cret")).toBe("https://collector.example/v1?***");
    expect(redactUrl("amqp://a:s?cret@one,amqp://b:s3cret@two/?x=s3cret")).toBe("amqp://***@two/?***");
  });

  test("property: redactUrl hides whatever a password is", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz"), minLength: 1 });
    fc.assert(
      fc.property(letters, fc.string(), fc.constantFrom("amqp", "amqps"), (user, password, scheme) => {
        const encoded = encodeURIComponent(password);
        expect(redactUrl(`${scheme}://${user}:${encoded}@host:5672/vhost`)).toBe(`${scheme}://***@host:5672/vhost`);
        expect(redactUrl(`${scheme}://${user}:${password}@host:5672/vhost`)).toBe(`${scheme}://***@host:5672/vhost`);
      }),
    );
  });
});

describe(".env.example", () => {
  const lines = async () =>
    (await Bun.file(join(root, ".env.example")).text())
      .split("\n")
      .map((line) => /^#?([A-Z_]+)=(.*)$/.exec(line))
      .filter((match) => match !== null);

  test("lists every variable that the configuration reads, and no other", async () => {
    const asked = new Set<string>();
    const answer = (name: string) => {
      asked.add(name);
      // What is about traces is read only if there are any.
      return name.endsWith("_ENDPOINT") ? "http://localhost:4318" : undefined;
    };
    read(new Proxy<Environment>({}, { get: (_, name) => answer(String(name)) }));
    expect((await lines()).map(([, name = ""]) => name).sort()).toEqual([...asked].sort());
  });

  test("its values are the defaults, whether or not they are commented out", async () => {
    const values = Object.fromEntries((await lines()).map(([, name = "", value]) => [name, value]));
    const { rabbitmq, ...rest } = read(values);
    const { rabbitmq: expected, ...others } = defaults;
    expect(rest).toEqual(others);
    expect({ ...rabbitmq, explicit: false }).toEqual({ ...expected, explicit: false } as never);
  });
});

describe("API_TOKEN=generate", () => {
  const folder = useFolder();
  const start = (more: Environment = {}) => read({ HOST: "0.0.0.0", API_TOKEN: "generate", DATA_DIR: `${folder.path}/data`, ...more });
  const file = () => `${folder.path}/data/api-token`;

  test("makes a token at the first start, for this user alone, and keeps it", () => {
    const { apiTokens, tokenFile, allowedHosts } = start();
    expect([tokenFile, allowedHosts, statSync(file()).mode & 0o777]).toEqual([file(), null, 0o600]);
    expect(apiTokens).toEqual([{ token: readFileSync(file(), "utf8").trim(), scope: "admin" }]);
    expect(apiTokens[0]?.token).toMatch(/^[0-9a-f]{48}$/);
    expect(start().apiTokens).toEqual(apiTokens);
    rmSync(file());
    expect(start().apiTokens).not.toEqual(apiTokens);
  });

  test("a file that others can open, that holds none or cannot be written, is a mistake", () => {
    start();
    chmodSync(file(), 0o644);
    expect(() => start()).toThrow(`API_TOKEN=generate: ${file()}: other users can open this file`);
    chmodSync(file(), 0o600);
    writeFileSync(file(), "");
    expect(() => start()).toThrow(`${file()} does not contain a valid token; delete it`);
    expect(() => start({ DATA_DIR: `${file()}/nowhere` })).toThrow(`cannot write ${file()}/nowhere/api-token`);
  });

  test("a consumer makes none", () => {
    const environment = { API_TOKEN: "generate", DATA_DIR: `${folder.path}/data` };
    expect(readConfig({ isTerminal: false, listens: false, environment })).toMatchObject({ apiTokens: [], tokenFile: null });
    expect(existsSync(`${folder.path}/data`)).toBe(false);
  });
});

test("a consumer, which serves nothing, needs no API_TOKEN to run where HOST is public", () => {
  expect(readConfig({ isTerminal: false, listens: false, environment: { HOST: "0.0.0.0" } }).apiTokens).toEqual([]);
});
