/** The store cannot be read or written now, for example because the disk is full or the database is locked or damaged. Nothing changed. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** The database file was removed or replaced. The store refuses writes until the process restarts. */
export class StoreReplaced extends StoreUnavailable {}

/** The answers stored for the key's owner have reached their size limit. Nothing changed. */
export class TooMuchKept extends Error {
  override readonly name = "TooMuchKept";
  /** @param retryAfter seconds until the owner has room for another key. */
  constructor(readonly retryAfter: number) {
    super("Too much is stored for the idempotency keys of this owner");
  }
}

/** The idempotency key was already used for a different change. Nothing changed. */
export class KeyReused extends Error {
  override readonly name = "KeyReused";
}
