import { pause } from "../../timing/pause";
import type { Notifier } from "../log-follower";
import type { Notice } from "./notices";
import type { Database } from "./queries";

/** Interval at which the end of the log is looked at, in milliseconds. */
const lookEveryMs = 150;

export interface LogWatchOptions {
  readonly database: Pick<Database, "listen">;
  readonly channel: string;
  /** Resolves with the position of the newest event. */
  readonly end: () => Promise<number>;
  /** Called after commits of events. It may be called without any. */
  readonly onAppend: () => void;
  /** Called when a lease may be free. Default: does nothing. */
  readonly onLease?: () => void;
}

/**
 * Tells of commits of any process: by notifications, and by looking at the end of the log. The latter is for notifications that are lost,
 * or that never come, as through a connection pooler.
 */
export class LogWatch {
  readonly #stopListening: () => void;
  readonly #closing = new AbortController();

  constructor(readonly options: LogWatchOptions) {
    const { database, channel, onAppend, onLease = () => {} } = options;
    const heard: Record<Notice, () => void> = { log: onAppend, leases: onLease };
    this.#stopListening = database.listen(channel, (notice) => {
      if (notice === undefined) for (const tell of Object.values(heard)) tell();
      else if (notice in heard) heard[notice as Notice]();
    });
    void this.#look();
  }

  close(): void {
    this.#stopListening();
    this.#closing.abort();
  }

  async #look(): Promise<void> {
    const { end, onAppend } = this.options;
    let seen = Number.NEGATIVE_INFINITY;
    while (!this.#closing.signal.aborted) {
      const now = await end().catch(() => seen);
      // Also if it is less than before: the database was restored.
      if (now !== seen && !this.#closing.signal.aborted) onAppend();
      seen = now;
      await pause(lookEveryMs, this.#closing.signal);
    }
  }
}

/** Tells a consumer in another process of commits to the log. */
export class FollowingNotifier implements Notifier {
  readonly #watch: LogWatch;
  #hasChanged = true;

  constructor(options: Omit<LogWatchOptions, "onAppend" | "onLease">, tell: () => void) {
    this.#watch = new LogWatch({
      ...options,
      onAppend: () => {
        this.#hasChanged = true;
        tell();
      },
    });
  }

  changed(): boolean {
    const hasChanged = this.#hasChanged;
    this.#hasChanged = false;
    return hasChanged;
  }

  /** The watch looks for itself, so this is only a precaution. */
  pauseMs(): number {
    return 1000;
  }

  close(): void {
    this.#watch.close();
  }
}
