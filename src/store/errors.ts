/** The store cannot be read or written now, for example because the disk is full or the database is locked or damaged. Nothing changed. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** The database takes no changes from anybody: it is away, read-only or full, or refuses this program. It is enough to wait. Nothing changed. */
export class StoreAway extends StoreUnavailable {}

/** The store cannot be opened until somebody changes something, which the message says: rights, or the version of the program. */
export class CannotOpenStore extends Error {
  override readonly name = "CannotOpenStore";
}

/**
 * What a consumer keeps is newer than the event log: its position is after the end of the log, so it would pass over the next events.
 * The message says what to do.
 */
export class PositionBeyondLog extends Error {
  override readonly name = "PositionBeyondLog";
}

/** The database was removed or replaced. The store refuses writes until the process restarts. */
export class StoreReplaced extends StoreUnavailable {}

/** The answers stored for the key's owner have reached their size limit. Nothing changed. */
export class TooMuchKept extends Error {
  override readonly name = "TooMuchKept";
  /** @param retryAfter seconds until the owner has room for another key. */
  constructor(readonly retryAfter: number) {
    super("Too much is stored for the idempotency keys of this owner");
  }
}

/** A record that a transaction needs does not exist. Nothing changed. */
export class RecordNotFound extends Error {
  override readonly name = "RecordNotFound";
  constructor(resource: string, id: number) {
    super(`There is no ${resource} ${id}.`);
  }
}

/** A transaction could not be committed in its time or number of tries. Nothing changed. It may succeed if it is made again. */
export class TransactionGaveUp extends Error {
  override readonly name = "TransactionGaveUp";
  /** @param why a sentence for the client. */
  constructor(why: string) {
    super(`${why} Nothing was changed. Try again.`);
  }
}

/** The function of a transaction, or a handler, returned before one of its calls was awaited. Nothing changed. */
export class ForgottenAwait extends Error {
  override readonly name = "ForgottenAwait";
  /**
   * @param what the call: `tx.update(account, 7)`.
   * @param who whatever made the call. Default: "The transaction".
   */
  constructor(what: string, who = "The transaction") {
    super(`${who} returned before ${what} was done. Nothing was changed. Put "await" before each call.`);
  }
}

/** The idempotency key was already used for a different change. Nothing changed. */
export class KeyReused extends Error {
  override readonly name = "KeyReused";
}

/** The actor must not do this. Nothing changed. */
export class Forbidden extends Error {
  override readonly name = "Forbidden";
  /** @param scope the scope that the actor's token lacks. */
  constructor(
    message: string,
    readonly scope?: string,
  ) {
    super(message);
  }
}

/** This process does not lead the task any longer, so it must not do this. Nothing changed. */
export class LeadLost extends Error {
  override readonly name = "LeadLost";
}
