import { redactUrls } from "../config/redact-url";

/** Names of fields with secret values. */
const names = ["authorization", "cookie", "password", "secret", "secrets", "token", "tokens", "apiTokens"];

/** Paths for pino's `redact`: fields with these names, at the top level, in an object, or in an object's headers. */
export const secretFields = ["", "*.", "headers.", "*.headers."].flatMap((place) => names.map((name) => place + name));

/**
 * Patterns of secrets in text. None repeats a group: the engine gives up on such an expression on a long line, and the secret would stay.
 */
const inText: readonly [RegExp, string][] = [
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, "$1 ***"],
  [/\bwhsec_[A-Za-z0-9+/=]+/g, "whsec_***"],
];

/**
 * Returns a function that hides secrets anywhere in a line of JSON: user, password and query of URLs, HTTP credentials and webhook secrets.
 *
 * @param known Further secrets to hide, in any context.
 */
export function withoutSecrets(known: readonly string[] = []): (line: string) => string {
  const written = known.map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => {
    const text = inText.reduce((text, [secret, hidden]) => text.replace(secret, hidden), redactUrls(line));
    return written.reduce((text, secret) => text.replaceAll(secret, "***"), text);
  };
}
