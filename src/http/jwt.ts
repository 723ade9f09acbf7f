import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Issuer } from "../config/issuer";
import type { Actor } from "../schema/actor";
import type { IssuerKeys } from "./issuer-keys";
import { InvalidToken } from "./refused-token";

/** The content of a valid JWT. */
export interface VerifiedToken {
  readonly actor: Actor;
  /** Time at which the token expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Asymmetric signatures only. With a symmetric algorithm, the public key could serve as the secret. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
/** Maximum difference between the clocks of the issuer and this service, in seconds. */
const clockTolerance = 30;
/** Types of access tokens: RFC 9068, and what issuers used before it. Other types of JWT have other purposes. */
const accessToken = /^(application\/)?(at\+)?jwt$/i;
/** The longest subject that an event can carry. */
const maxSubject = 255;

/**
 * Returns a function that verifies a JWT of an issuer (RFC 7519, RFC 8725).
 *
 * It throws {@link InvalidToken} if the token is not valid, and `IssuerUnavailable` if it cannot be verified now.
 */
export function jwtVerifier({ url, audiences }: Issuer, keys: Pick<IssuerKeys, "find">): (token: string) => Promise<VerifiedToken> {
  const options = { issuer: url, audience: [...audiences], algorithms, clockTolerance, requiredClaims: ["exp", "sub"] };
  const keyOf: JWTVerifyGetKey = (header) => keys.find(header);
  return async (token) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keyOf, options);
      if (!accessToken.test(protectedHeader.typ ?? "JWT"))
        throw new InvalidToken(`The token is a ${protectedHeader.typ}, not an access token.`);
      if (payload["cnf"] !== undefined) throw new InvalidToken("The token is bound to a key (`cnf`), which this API does not check.");
      return { actor: actorOf(payload), expiresAt: (payload.exp as number) * 1000 };
    } catch (error) {
      throw error instanceof errors.JOSEError ? new InvalidToken(reasonOf(error)) : error;
    }
  };
}

function actorOf(claims: JWTPayload): Actor {
  const { sub } = claims;
  if (typeof sub !== "string" || sub === "" || sub.length > maxSubject || !sub.isWellFormed())
    throw new InvalidToken(`The claim "sub" of the token must have 1 to ${maxSubject} characters.`);
  return { subject: sub, scopes: scopesIn(claims), claims };
}

/** Returns the scopes in the claims that issuers use for them: texts separated by spaces (RFC 8693, section 4.2), or arrays. */
function scopesIn(claims: JWTPayload): string[] {
  const found = ["scope", "scp", "scopes", "permissions"].flatMap((name) => {
    const value = claims[name];
    return typeof value === "string" ? value.split(" ") : Array.isArray(value) ? (value as unknown[]) : [];
  });
  return [...new Set(found.filter((scope): scope is string => typeof scope === "string" && scope !== ""))];
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return "The token has expired.";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.reason === "missing") return `The token lacks the claim "${error.claim}".`;
    if (error.claim === "nbf") return 'The token is not valid yet (claim "nbf").';
    return `The claim "${error.claim}" of the token is not the one that this API expects.`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return "The token is signed with an algorithm that is not allowed.";
  if (error instanceof errors.JWKSNoMatchingKey) return "The issuer has no key that matches the token.";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The signature of the token is not valid.";
  return "The token is not a valid JWT.";
}
