import { redactUrls } from "../config/redact-url";

/** Names of fields whose values are nobody's business. */
const names = ["authorization", "cookie", "password", "secret", "secrets", "token", "tokens", "apiTokens"];

/** As pino's `redact` takes it: fields of these names, also in an object or in an object's headers. */
export const secretFields = ["", "*.", "headers.", "*.headers."].flatMap((place) => names.map((name) => place + name));

/** None repeats a group: the engine gives such an expression up on a long line, which would then be written as it is. */
const inText: readonly [RegExp, string][] = [
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, "$1 ***"],
  [/\bwhsec_[A-Za-z0-9+/=]+/g, "whsec_***"],
];

/**
 * Returns a function that hides user, password and query of URLs, HTTP credentials and secrets of webhooks, wherever in a line of JSON
 * they stand.
 *
 * @param known secrets to hide as well, whatever stands around them.
 */
export function withoutSecrets(known: readonly string[] = []): (line: string) => string {
  const written = known.map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => {
    const text = inText.reduce((text, [secret, hidden]) => text.replace(secret, hidden), redactUrls(line));
    return written.reduce((text, secret) => text.replaceAll(secret, "***"), text);
  };
}
