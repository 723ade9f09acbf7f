/** Who makes a change: the identity that a request has proved. */
export interface Actor {
  /** Identifies the actor. It is stored in events. */
  readonly subject: string;
  /** What the actor may do, such as `read`, `write` and `admin`. */
  readonly scopes: readonly string[];
}
