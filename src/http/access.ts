import { type ApiToken, type Scope, scopes } from "../config/api-access";
import { identify } from "./actor";
import { problemResponse } from "./problem";

/** Paths that need no token. Health probes have none, and the docs explain that the other paths need one. */
const open = /^\/((health|swagger|asyncapi|problems)(\/|$)|asyncapi\.json$)/;
/** Paths for operators only. Dead letters and timelines expose internal errors, and a replay causes work in consumers. */
const adminOnly = /^\/(dead-letters|replays)(\/|$)|^\/events\/[^/]+\/timeline\/?$/;

/** Returns the scope that a request needs, or undefined if it needs no token. */
export function scopeFor(method: string, path: string): Scope | undefined {
  if (open.test(path)) return undefined;
  if (adminOnly.test(path)) return "admin";
  return method === "GET" || method === "HEAD" ? "read" : "write";
}

/**
 * Returns a check of a request's token, which also identifies the request's actor. The check returns a 401 response if the
 * token is missing or unknown, and a 403 response if its scope is too small (RFC 6750). Otherwise it returns undefined. Without
 * configured tokens, every request passes and has no actor.
 *
 * The check needs the path that the router uses, which can differ from the path in the URL.
 */
export function requireToken(tokens: readonly ApiToken[]): (request: Request, path: string) => Response | undefined {
  const known = tokens.map(({ token, scope, name = scope }) => {
    const rank = scopes.indexOf(scope);
    return { digest: digest(token), rank, actor: { subject: name, scopes: scopes.slice(0, rank + 1) } };
  });
  return (request, path) => {
    const needed = scopeFor(request.method, path);
    if (known.length === 0 || !needed) return undefined;
    const authorization = request.headers.get("authorization");
    const given = digest(/^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "");
    // Compare in constant time and with all tokens, so that the time reveals nothing about a token.
    const [sent] = known.filter((token) => crypto.timingSafeEqual(token.digest, given)).sort((a, b) => b.rank - a.rank);
    if (!sent) {
      const detail = "Send one of the tokens in API_TOKEN as `Authorization: Bearer <token>`.";
      return problemResponse(request, 401, { detail }, challenge(authorization === null ? "" : ', error="invalid_token"'));
    }
    identify(request, sent.actor);
    if (sent.rank >= scopes.indexOf(needed)) return undefined;
    const detail = `This token lacks the required scope "${needed}".`;
    return problemResponse(request, 403, { detail }, challenge(`, error="insufficient_scope", scope="${needed}"`));
  };
}

function challenge(reason: string): Record<string, string> {
  return { "www-authenticate": `Bearer realm="warren"${reason}` };
}

function digest(token: string): Uint8Array {
  return Bun.CryptoHasher.hash("sha256", token);
}
