// Challenges of RFC 6750, section 3.

/** Returns the header for a request without a token, or with one that is not valid. */
export function unauthenticated(hasToken: boolean): Record<string, string> {
  return challenge(hasToken ? ', error="invalid_token"' : "");
}

/** Returns the header for a request whose token lacks a scope. */
export function insufficientScope(scope: string): Record<string, string> {
  return challenge(`, error="insufficient_scope", scope="${scope}"`);
}

function challenge(reason: string): Record<string, string> {
  return { "www-authenticate": `Bearer realm="warren"${reason}` };
}
