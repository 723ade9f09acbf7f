import type { IssuerKeys } from "./issuer-keys";
import type { VerifiedToken } from "./jwt";

/** Maximum number of tokens to remember. */
const most = 1000;

/**
 * Returns a function that verifies a token once, as long as it is valid and the issuer's keys are the same. To verify a signature
 * takes longer than most requests.
 */
export function verifyOnce(
  verify: (token: string) => Promise<VerifiedToken>,
  keys: Pick<IssuerKeys, "inUse">,
): (token: string) => Promise<VerifiedToken> {
  const known = new Map<string, { readonly verified: VerifiedToken; readonly keys: number }>();
  return async (token) => {
    // By a digest, so that the time of a search reveals nothing about a token.
    const digest = Bun.CryptoHasher.hash("sha256", token, "base64url");
    const found = known.get(digest);
    const { inUse } = keys;
    if (found && found.keys === inUse && Date.now() < found.verified.expiresAt) return found.verified;
    known.delete(digest);
    const verified = await verify(token);
    // Keys that were fetched meanwhile may no longer contain that of the token.
    if (inUse === undefined || keys.inUse !== inUse) return verified;
    known.set(digest, { verified, keys: inUse });
    if (known.size > most) known.delete(known.keys().next().value as string);
    return verified;
  };
}
