/** The store cannot take or give anything now: disk full, locked, broken. Nothing was changed. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** The file of the store was removed, or another one is in its place: nothing can be written until a restart. */
export class StoreReplaced extends StoreUnavailable {}

/** The answers that are kept for the owner of the key take up all of their room. Nothing was changed. */
export class TooMuchKept extends Error {
  override readonly name = "TooMuchKept";
  /** @param retryAfter in seconds. */
  constructor(readonly retryAfter: number) {
    super("Too much is kept for this owner's keys");
  }
}

/** The key stands for another change already. Nothing was changed. */
export class KeyReused extends Error {
  override readonly name = "KeyReused";
}
