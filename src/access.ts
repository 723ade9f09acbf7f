import { createHash, timingSafeEqual } from "node:crypto";
import { problemResponse } from "./problem";

/** Open without a token: a probe has none, and the docs are where a person learns that one is needed. */
const open = /^\/(health|swagger)(\/|$)/;

export function needsToken(path: string): boolean {
  return !open.test(path);
}

/**
 * Answers 401 to a request without one of the tokens (RFC 6750), and undefined to any other. No tokens: all are let in.
 *
 * The path must be the one that the router goes by; the URL may say another.
 */
export function requireToken(tokens: readonly string[]): (request: Request, path: string) => Response | undefined {
  const accepted = tokens.map(digest);
  return (request, path) => {
    if (accepted.length === 0 || !needsToken(path)) return undefined;
    const given = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    // Compared in constant time, and all of them, so that the time tells nothing about a token.
    const matches = given === undefined ? 0 : accepted.filter((token) => timingSafeEqual(token, digest(given))).length;
    if (matches > 0) return undefined;
    return problemResponse(
      request,
      401,
      { detail: "Send one of the tokens in API_TOKEN as `Authorization: Bearer <token>`." },
      {
        "www-authenticate": "Bearer",
      },
    );
  };
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
