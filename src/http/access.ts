import { type ApiToken, type Scope, scopes } from "../config/api-access";
import { problemResponse } from "./problem";

/** Open without a token: a probe has none, and the docs are where a person learns that one is needed. */
const open = /^\/((health|swagger|asyncapi|problems)(\/|$)|asyncapi\.json$)/;
/** For whoever runs the service: a dead letter or a timeline shows what went wrong inside, and a replay has consumers work again. */
const adminOnly = /^\/(dead-letters|replays)(\/|$)|^\/events\/[^/]+\/timeline\/?$/;

/** The scope that a token needs for a request; undefined: it needs no token. */
export function scopeFor(method: string, path: string): Scope | undefined {
  if (open.test(path)) return undefined;
  if (adminOnly.test(path)) return "admin";
  return method === "GET" || method === "HEAD" ? "read" : "write";
}

/**
 * Answers 401 to a request without one of the tokens, 403 to one whose token has too little scope (RFC 6750), and
 * undefined to any other. No tokens: all are let in.
 *
 * The path must be the one that the router goes by; the URL may say another.
 */
export function requireToken(tokens: readonly ApiToken[]): (request: Request, path: string) => Response | undefined {
  const known = tokens.map(({ token, scope }) => ({ digest: digest(token), rank: scopes.indexOf(scope) }));
  return (request, path) => {
    const needed = scopeFor(request.method, path);
    if (known.length === 0 || !needed) return undefined;
    const authorization = request.headers.get("authorization");
    const given = digest(/^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "");
    // Compared in constant time, and with all of them, so that the time tells nothing about a token.
    const ranks = known.map((token) => (crypto.timingSafeEqual(token.digest, given) ? token.rank : -1));
    const rank = Math.max(...ranks);
    if (rank >= scopes.indexOf(needed)) return undefined;
    if (rank === -1) {
      const detail = "Send one of the tokens in API_TOKEN as `Authorization: Bearer <token>`.";
      return problemResponse(request, 401, { detail }, challenge(authorization === null ? "" : ', error="invalid_token"'));
    }
    const detail = `This token may not do that: the scope ${needed} is needed.`;
    return problemResponse(request, 403, { detail }, challenge(`, error="insufficient_scope", scope="${needed}"`));
  };
}

function challenge(reason: string): Record<string, string> {
  return { "www-authenticate": `Bearer realm="warren"${reason}` };
}

function digest(token: string): Uint8Array {
  return Bun.CryptoHasher.hash("sha256", token);
}
