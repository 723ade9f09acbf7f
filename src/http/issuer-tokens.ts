import { scopes } from "../config/api-access";
import type { Issuer } from "../config/issuer";
import type { Log } from "../observe/logging";
import { IssuerKeys } from "./issuer-keys";
import { jwtVerifier, type VerifiedToken } from "./jwt";
import { verifyOnce } from "./known-tokens";

/** Returns a function that verifies a JWT of the issuer. The actor has each scope that another one includes. */
export function issuerTokens(issuer: Issuer, log: Log): (token: string) => Promise<VerifiedToken> {
  const keys = new IssuerKeys(issuer.url, log);
  // Tells the operator at the start if the issuer cannot be reached, and the first request need not wait.
  void keys.refresh();
  const verify = jwtVerifier(issuer, keys);
  return verifyOnce(async (token) => {
    const { actor, ...rest } = await verify(token);
    const rank = scopes.findLastIndex((scope) => actor.scopes.includes(scope));
    return { ...rest, actor: { ...actor, scopes: [...new Set([...scopes.slice(0, rank + 1), ...actor.scopes])] } };
  }, keys);
}
