import { pause } from "../../../timing/pause";
import type { Notifier } from "../../log-follower";
import type { Database } from "../connection/queries";
import { logStateIn } from "./log-state";
import { channelOf, type Notice } from "./notices";

/** Interval at which the end of the log is looked at, in milliseconds. */
const lookEveryMs = 150;

export interface LogWatchOptions {
  readonly database: Pick<Database, "query" | "listen">;
  readonly schema: string;
  /** The log that is watched. */
  readonly logId: string;
  /** Called after commits of events. It may be called without any. */
  readonly onAppend: () => void;
  /** Called when a lease may be free. Default: does nothing. */
  readonly onLease?: () => void;
  /** Called with any other notification. Default: does nothing. */
  readonly onOther?: (payload: string) => void;
}

/**
 * Tells of commits of any process: by notifications, and by looking at the end of the log. The latter is for notifications that are lost,
 * or that never come, as through a connection pooler.
 */
export class LogWatch {
  readonly #stopListening: () => void;
  readonly #closing = new AbortController();
  #isReplaced = false;

  constructor(readonly options: LogWatchOptions) {
    const { database, schema, onAppend, onLease = () => {}, onOther = () => {} } = options;
    const heard: Record<Notice, () => void> = { log: onAppend, leases: onLease };
    this.#stopListening = database.listen(channelOf(schema), (notice) => {
      if (notice === undefined) for (const tell of Object.values(heard)) tell();
      else if (Object.hasOwn(heard, notice)) heard[notice as Notice]();
      else onOther(notice);
    });
    void this.look();
  }

  /** True if the schema was removed, or has another log now. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  close(): void {
    this.#stopListening();
    this.#closing.abort();
  }

  /** Looks at the end of the log at intervals, until the watch is closed. */
  async look(): Promise<void> {
    const { database, logId, onAppend } = this.options;
    const { signal } = this.#closing;
    for (let seen = Number.NEGATIVE_INFINITY; !signal.aborted; await pause(lookEveryMs, signal)) {
      // What cannot be reached now may still be there.
      const state = await logStateIn(database).catch(() => null);
      if (state === null || signal.aborted) continue;
      this.#isReplaced = state?.logId !== logId;
      const end = state?.end ?? seen;
      // Also if it is less than before: the database was restored.
      if (end !== seen) onAppend();
      seen = end;
    }
  }
}

/** Tells a consumer in another process of commits to the log. */
export class FollowingNotifier implements Notifier {
  readonly #watch: LogWatch;
  #hasChanged = true;

  constructor(options: Pick<LogWatchOptions, "database" | "schema" | "logId">, tell: () => void) {
    this.#watch = new LogWatch({
      ...options,
      onAppend: () => {
        this.#hasChanged = true;
        tell();
      },
    });
  }

  /** See {@link LogWatch.isReplaced}. */
  get isReplaced(): boolean {
    return this.#watch.isReplaced;
  }

  changed(): boolean {
    const hasChanged = this.#hasChanged;
    this.#hasChanged = false;
    return hasChanged;
  }

  /** The watch looks for itself, so this is a precaution. */
  pauseMs(onlyCommits: boolean): number {
    return onlyCommits ? 1000 : lookEveryMs;
  }

  close(): void {
    this.#watch.close();
  }
}
