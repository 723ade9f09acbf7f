import { generatedToken } from "./generated-token";
import { type Issuer, readIssuer } from "./issuer";
import { isLoopback } from "./loopback";
import { redactUrl } from "./redact-url";
import type { ReadText, ReadVariable } from "./variable";
import { parseWholeNumber } from "./whole-number";

/** Settings for access to the API. */
export interface ApiAccess {
  /** Address to listen on. */
  readonly host: string;
  /** Accepted bearer tokens of the service itself. */
  readonly apiTokens: readonly ApiToken[];
  /** The issuer whose tokens are accepted as well. Null for none. Without it and without `apiTokens`, the API requires no token. */
  readonly issuer: Issuer | null;
  /** File of the generated token. Null if the token was not generated. */
  readonly tokenFile: string | null;
  /** Accepted host names of requests, in lower case, in addition to `localhost` and IP addresses. Null accepts any. */
  readonly allowedHosts: readonly string[] | null;
  /** Origins whose pages may use the API, or `*` for all. If empty, only the API's own origin. */
  readonly corsOrigins: readonly string[];
  /** Number of proxies in front of the API, each of which adds an address to X-Forwarded-For. */
  readonly trustedProxies: number;
  /** Maximum requests per second for each client. Null for no limit. */
  readonly rateLimit: number | null;
  /** `off`: there is no console; `read`: it changes nothing. */
  readonly console: ConsoleMode;
}

/** `read`: the console shows everything and changes nothing. */
export type ConsoleMode = "on" | "read" | "off";

export interface ApiToken {
  readonly token: string;
  readonly scope: Scope;
  /** Identifies who uses the token, in events and in the log. Default: its scope. */
  readonly name?: string;
  /** Claims that its actor has, as if the token were one of an issuer. Only tests set them. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/** Scopes of tokens. Each includes the ones before it: `read` reads records, `write` changes them, `admin` operates the service. */
export const scopes = ["read", "write", "admin"] as const;
export type Scope = (typeof scopes)[number];

const consoleModes: readonly ConsoleMode[] = ["on", "read", "off"];

const defaultRate = 100;

/**
 * Reads the environment variables for access to the API. Creates the token file if API_TOKEN is `generate` and this program
 * serves the API.
 *
 * @param mistakes receives mistakes that concern several variables or the tokens.
 * @param options.listens whether this program serves the API.
 * @param options.dataDir folder for a generated token.
 */
export function readApiAccess(
  read: ReadText,
  variable: ReadVariable,
  mistakes: string[],
  { listens, dataDir }: { listens: boolean; dataDir: string },
): ApiAccess {
  const host = read("HOST") ?? "127.0.0.1";
  const trustedProxies = variable(
    "TRUST_PROXY",
    0,
    (text) => parseWholeNumber(text, 0, 10),
    "use the number of proxies in front of the service, 0 to 10",
  );
  const isPublic = !isLoopback(host) || trustedProxies > 0;
  const tokenText = read("API_TOKEN");
  const issuer = readIssuer(read, variable, mistakes);
  if (issuer && tokenText === "none") {
    mistakes.push("API_TOKEN=none disables authentication, but AUTH_ISSUER requires it. Unset one of them.");
  }
  if (listens && isPublic && tokenText === undefined && !issuer) {
    const [reason, otherwise] = isLoopback(host)
      ? [`TRUST_PROXY=${trustedProxies} means that clients reach the API through a proxy`, "unset TRUST_PROXY"]
      : [`HOST=${redactUrl(host)} is reachable from other machines`, "set HOST to 127.0.0.1"];
    mistakes.push(
      `${reason}, so API_TOKEN is required. Set it to a long random secret, to \`generate\` for a token kept in the data folder, ` +
        `or to \`none\` for an open API. Alternatively, set AUTH_ISSUER, or ${otherwise}.`,
    );
  }
  const { tokens: apiTokens, file: tokenFile } = readTokens(tokenText, mistakes, listens ? dataDir : null);
  return {
    host,
    apiTokens,
    tokenFile,
    issuer,
    allowedHosts: variable(
      "ALLOWED_HOSTS",
      apiTokens.length > 0 || issuer ? null : [],
      hostNames,
      "use host names without ports, separated by commas, such as api.example.com, or `*` for any",
    ),
    corsOrigins: variable("CORS_ORIGIN", [], origins, "use origins separated by commas, such as https://app.example.com, or `*` for all"),
    trustedProxies,
    rateLimit: variable(
      "RATE_LIMIT",
      isPublic ? defaultRate : null,
      rate,
      "use `off`, or the maximum number of requests per second for each client, such as 100",
    ),
    console: variable("CONSOLE", "on", (text) => consoleModes.find((mode) => mode === text), "use on, read or off"),
  };
}

function readTokens(text: string | undefined, mistakes: string[], dataDir: string | null): { tokens: ApiToken[]; file: string | null } {
  if (text === undefined || text === "none") return { tokens: [], file: null };
  if (text === "generate") {
    if (dataDir === null) return { tokens: [], file: null };
    const generated = generatedToken(dataDir);
    if ("mistake" in generated) {
      mistakes.push(`API_TOKEN=generate: ${generated.mistake}.`);
      return { tokens: [], file: null };
    }
    return { tokens: [{ token: generated.token, scope: "admin" }], file: generated.file };
  }
  const all = text.split(",").map(apiToken);
  const tokens = all.filter((token) => token !== undefined);
  if (tokens.length < all.length) {
    mistakes.push(
      "API_TOKEN: use tokens of at least 8 letters, digits or -._~+/ that may end in =, separated by commas, each with an optional scope " +
        "before it (read:, write: or admin:), or a scope and the name of who uses it (write:ada:). Use `generate` to create a token at the first start, or `none` for an open API.",
    );
  }
  return { tokens, file: null };
}

/**
 * Parses a token with an optional scope and name: `TOKEN`, `write:TOKEN` or `write:ada:TOKEN`. Default scope: `admin`. The allowed
 * characters are those of RFC 6750. A name cannot be a scope, which is the name of tokens that have none.
 */
function apiToken(text: string): ApiToken | undefined {
  const form = /^(?:(read|write|admin):(?:(?!(?:read|write|admin):)([A-Za-z0-9][\w.-]{0,63}):)?)?([\w.~+/-]{8,}=*)$/;
  const [, scope = "admin", name, token] = form.exec(text.trim()) ?? [];
  // `generate` in a list is a mistake, not a token.
  if (token === undefined || token === "generate") return undefined;
  return { token, scope: scope as Scope, ...(name !== undefined && { name }) };
}

function hostNames(text: string): string[] | null | undefined {
  if (text === "*") return null;
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  return names.every((name) => /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(name)) ? names : undefined;
}

function origins(text: string): string[] | undefined {
  const all = text.split(",").map((origin) => origin.trim());
  const isOrigin = (origin: string) => /^https?:/.test(origin) && URL.parse(origin)?.origin === origin;
  return text === "*" || all.every(isOrigin) ? all : undefined;
}

function rate(text: string): number | null | undefined {
  return text === "off" ? null : parseWholeNumber(text, 1, 1_000_000);
}

/** Returns whether the API requires a token. */
export function requiresToken({ apiTokens, issuer }: Pick<ApiAccess, "apiTokens" | "issuer">): boolean {
  return apiTokens.length > 0 || issuer !== null;
}
