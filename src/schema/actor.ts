/** Who makes a change: the identity that a request has proved. */
export interface Actor {
  /** Identifies the actor. It is stored in events. */
  readonly subject: string;
  /** The actor's scopes, such as `read`, `write` and `admin`. */
  readonly scopes: readonly string[];
  /** The claims of the actor's JWT, which its issuer vouches for. Undefined for a token of the service itself. */
  readonly claims?: Claims | undefined;
}

/** The claims of a JWT (RFC 7519). Check the type of each before you use it. */
export type Claims = Readonly<Record<string, unknown>>;
