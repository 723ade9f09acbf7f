import type { ApiToken } from "../config/api-access";
import { now } from "../timing/clock";

/** How long a session lasts, in seconds. */
export const sessionSeconds = 12 * 60 * 60;

const cookieName = "warren-console";

/**
 * Returns the value of a new session's cookie: when it expires, and a proof that only who knows the token can have made. Nothing is
 * stored, and removing the token from API_TOKEN ends its sessions.
 */
export function sealSession(token: string): string {
  const expiresAt = now() + sessionSeconds * 1000;
  return `${expiresAt}.${proof(token, expiresAt)}`;
}

/** Returns the token of the session in a request's cookie. Undefined if there is none, it has expired, or its token is no longer valid. */
export function tokenOf(request: Request, tokens: readonly ApiToken[]): string | undefined {
  const [, expiry = "", sent = ""] =
    /(?:^|;\s*)warren-console=(\d{1,16})\.([\w-]{43})(?:;|$)/.exec(request.headers.get("cookie") ?? "") ?? [];
  const expiresAt = Number(expiry);
  if (!(expiresAt > now())) return undefined;
  const given = Buffer.from(sent);
  // Compared in constant time, and with all tokens.
  const [found] = tokens.filter(({ token }) => crypto.timingSafeEqual(Buffer.from(proof(token, expiresAt)), given));
  return found?.token;
}

/**
 * Returns the `Set-Cookie` header of a session, or of none. It has no `Path`: the browser then sends it to the folder of `/console/session`
 * alone, wherever a proxy has put that, and never to the API itself.
 */
export function sessionCookie(value: string | undefined, isSecure: boolean): string {
  const age = value === undefined ? 0 : sessionSeconds;
  return `${cookieName}=${value ?? ""}; HttpOnly; SameSite=Strict; Max-Age=${age}${isSecure ? "; Secure" : ""}`;
}

function proof(token: string, expiresAt: number): string {
  return new Bun.CryptoHasher("sha256", token).update(`console session until ${expiresAt}`).digest("base64url");
}
