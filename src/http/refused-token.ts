// Apart from the code that verifies tokens, which is loaded only if there is an issuer.

/** A JWT that is not valid here. The message says why, for its sender. */
export class InvalidToken extends Error {
  override readonly name = "InvalidToken";
}

/** The issuer's keys cannot be fetched, so its tokens cannot be verified now. */
export class IssuerUnavailable extends Error {
  override readonly name = "IssuerUnavailable";
}
