import { type ApiAccess, requiresToken, type Scope, scopes } from "../config/api-access";
import type { Issuer } from "../config/issuer";
import type { Log } from "../observe/logging";
import type { Actor } from "../schema/actor";
import { identify, nobody } from "./actor";
import type { VerifiedToken } from "./jwt";
import { problemResponse } from "./problem";
import { InvalidToken, IssuerUnavailable } from "./refused-token";
import { insufficientScope, unauthenticated } from "./token-challenge";

/** Paths that need no token. Health probes have none, and the docs explain that the other paths need one. */
const open = /^\/((health|swagger|asyncapi|problems)(\/|$)|asyncapi\.json$|console\/session$)/;
/** Paths for operators only. Dead letters and timelines expose internal errors, and a replay causes work in consumers. */
const adminOnly =
  /^\/(changes|dead-letter-jobs|dead-letters|replays|schedules|timers)(\/|$)|^\/status\/settings\/?$|^\/events\/[^/]+\/timeline\/?$/;

/** Paths that everybody who may read sees, and that only operators change. */
const adminToChange = /^\/consumers(\/|$)/;

/** Returns the scope that a request needs, or undefined if it needs no token. */
export function scopeFor(method: string, path: string): Scope | undefined {
  if (open.test(path)) return undefined;
  if (adminOnly.test(path)) return "admin";
  if (method === "GET" || method === "HEAD") return "read";
  return adminToChange.test(path) ? "admin" : "write";
}

/**
 * Returns a check of a request's token, which also identifies the request's actor. The check returns a 401 response if the
 * token is missing or not valid, and a 403 response if its scope is too small (RFC 6750). It returns a 503 response if the issuer
 * of the token cannot be reached. Otherwise it returns undefined. If the API requires no token, every request passes and has no actor.
 *
 * The check needs the path that the router uses, which can differ from the path in the URL.
 *
 * @param isPublic returns whether a request needs no token, because its route is for everybody. One that has a token is checked.
 */
export function requireToken(
  config: Pick<ApiAccess, "apiTokens" | "issuer">,
  isPublic: (method: string, path: string) => boolean,
  log: Log,
): (request: Request, path: string) => Response | undefined | Promise<Response | undefined> {
  const ownActor = ownTokens(config.apiTokens);
  const verify = config.issuer && tokensOf(config.issuer, log);
  const expected = `Send ${[config.apiTokens.length > 0 && "one of the tokens in API_TOKEN", verify && "a JWT of AUTH_ISSUER"]
    .filter(Boolean)
    .join(", or ")} as \`Authorization: Bearer <token>\`.`;

  function pass({ request, path, needed }: Checked, actor: Actor, expiresAt?: number): Response | undefined {
    identify(request, actor, expiresAt);
    if (actor.scopes.includes(needed) || isPublic(request.method, path)) return undefined;
    const detail = `This token lacks the required scope "${needed}".`;
    return problemResponse(request, 403, { detail }, insufficientScope(needed));
  }
  return (request, path) => {
    const needed = scopeFor(request.method, path);
    if (!needed || !requiresToken(config)) return undefined;
    const authorization = request.headers.get("authorization");
    if (authorization === null && isPublic(request.method, path)) {
      identify(request, nobody);
      return undefined;
    }
    const checked = { request, path, needed };
    const token = tokenIn(authorization);
    const own = ownActor(token);
    if (own) return pass(checked, own);
    if (verify && isJwt(token)) {
      return verify(token).then(
        ({ actor, expiresAt }) => pass(checked, actor, expiresAt),
        (error: unknown) => refuse(request, error),
      );
    }
    return problemResponse(request, 401, { detail: expected }, unauthenticated(authorization !== null));
  };
}

interface Checked {
  readonly request: Request;
  readonly path: string;
  readonly needed: Scope;
}

/** Returns whether requests carry one of the service's own tokens with the scope `admin`. */
export function carriesAdminToken({ apiTokens }: Pick<ApiAccess, "apiTokens">): (request: Request) => boolean {
  const ownActor = ownTokens(apiTokens);
  return ({ headers }) => ownActor(tokenIn(headers.get("authorization")))?.scopes.includes("admin") === true;
}

function tokenIn(authorization: string | null): string {
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "";
}

/** Returns a function that returns the actor of one of the service's own tokens. */
function ownTokens(tokens: ApiAccess["apiTokens"]): (token: string) => Actor | undefined {
  const known = tokens.map(({ token, scope, name = scope, claims }) => {
    const rank = scopes.indexOf(scope);
    return { digest: digest(token), rank, actor: { subject: name, scopes: scopes.slice(0, rank + 1), claims } };
  });
  return (token) => {
    const given = digest(token);
    // Compare in constant time and with all tokens, so that the time reveals nothing about a token.
    const [sent] = known.filter((each) => crypto.timingSafeEqual(each.digest, given)).sort((a, b) => b.rank - a.rank);
    return sent?.actor;
  };
}

/** Returns a function that verifies a JWT of the issuer. */
function tokensOf(issuer: Issuer, log: Log): (token: string) => Promise<VerifiedToken> {
  // Loaded only if there is an issuer, because `jose` would slow down every start.
  const loading = import("./issuer-tokens").then(({ issuerTokens }) => issuerTokens(issuer, log));
  return async (token) => (await loading)(token);
}

/** Returns whether a bearer token has the form of a JWT, and is not one of the service's own tokens. */
function isJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

function refuse(request: Request, error: unknown): Response {
  if (error instanceof InvalidToken) return problemResponse(request, 401, { detail: error.message }, unauthenticated(true));
  if (!(error instanceof IssuerUnavailable)) throw error;
  const detail = "The issuer of the token cannot be reached, so the token cannot be verified. Try again.";
  return problemResponse(request, 503, { detail }, { "retry-after": "5" });
}

function digest(token: string): Uint8Array {
  return Bun.CryptoHasher.hash("sha256", token);
}
