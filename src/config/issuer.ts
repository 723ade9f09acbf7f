import { isLoopback } from "./loopback";
import type { ReadText, ReadVariable } from "./variable";

/** An OpenID Connect issuer whose JWTs the API accepts. */
export interface Issuer {
  /** URL of the issuer. The `iss` claim of its tokens is exactly this text. */
  readonly url: string;
  /** Accepted values of the `aud` claim. */
  readonly audiences: readonly string[];
}

/**
 * Reads AUTH_ISSUER and AUTH_AUDIENCE.
 *
 * @param mistakes receives the mistake that only one of the two is set.
 */
export function readIssuer(read: ReadText, variable: ReadVariable, mistakes: string[]): Issuer | null {
  const url = variable<string | null>(
    "AUTH_ISSUER",
    null,
    (text) => (isSecureUrl(text) && !/[?#@]/.test(text) ? text : undefined),
    "use the https:// URL of an OpenID Connect issuer, exactly as in the `iss` claim of its tokens. http:// is allowed for localhost only",
  );
  const audiences = variable<readonly string[]>(
    "AUTH_AUDIENCE",
    [],
    audienceNames,
    "use the `aud` claim of tokens for this API, or several, separated by commas",
  );
  if (url !== null && read("AUTH_AUDIENCE") === undefined) {
    mistakes.push(
      "AUTH_ISSUER requires AUTH_AUDIENCE: the `aud` claim of tokens for this API. Otherwise, tokens for other services would be valid here.",
    );
  }
  if (read("AUTH_ISSUER") === undefined && read("AUTH_AUDIENCE") !== undefined) {
    mistakes.push("AUTH_AUDIENCE requires AUTH_ISSUER: the URL of the OpenID Connect issuer whose tokens are for this audience.");
  }
  return url === null ? null : { url, audiences };
}

/** Returns whether a URL is https, or http to this machine. */
export function isSecureUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol === "https:") return true;
  return url?.protocol === "http:" && isLoopback(url.hostname.replace(/^\[|\]$/g, ""));
}

function audienceNames(text: string): string[] | undefined {
  const names = text.split(",").map((name) => name.trim());
  return names.every((name) => name !== "") ? names : undefined;
}
