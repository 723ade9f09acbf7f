import { pause } from "../../../timing/pause";
import type { Database } from "../connection/queries";

/** Notices between processes: that events were committed, or that a lease was released. */
export type Notice = "log" | "leases";

/** Begins a notification with a text from the process whose id of 8 characters follows. */
const told = "told ";
const idLength = 8;

/** Shortest time between two notifications of one kind, in milliseconds. Commits in between share one. */
const shortestMs = 5;

/** Returns the channel on which the processes of a schema notify each other. */
export function channelOf(schema: string): string {
  return `warren_${new Bun.CryptoHasher("sha256").update(schema).digest("hex").slice(0, 16)}`;
}

/**
 * Notifies other processes. A notification is a transaction of its own, after the commit that it is about: in the commit itself it would
 * hold a lock of the whole server that makes commits wait for each other.
 */
export class Notices {
  readonly #id = crypto.randomUUID().slice(0, idLength);
  readonly #states = new Map<Notice, "sending" | "again">();
  readonly #closing = new AbortController();

  constructor(
    readonly database: Pick<Database, "query">,
    readonly schema: string,
  ) {}

  /** Sends a notice soon. It may be lost. */
  send(notice: Notice): void {
    const isSending = this.#states.has(notice);
    this.#states.set(notice, isSending ? "again" : "sending");
    if (!isSending) void this.#send(notice);
  }

  /** Sends a text at once. It may be lost. */
  tell(text: string): void {
    if (!this.#closing.signal.aborted) void this.#notify(`${told}${this.#id}${text}`);
  }

  /** Returns the text of a notification if another process told it. */
  toldBy(payload: string): string | undefined {
    if (!payload.startsWith(told) || payload.startsWith(this.#id, told.length)) return undefined;
    return payload.slice(told.length + idLength);
  }

  close(): void {
    this.#closing.abort();
  }

  async #send(notice: Notice): Promise<void> {
    for (let more = true; more && !this.#closing.signal.aborted; more = this.#states.get(notice) === "again") {
      this.#states.set(notice, "sending");
      await this.#notify(notice);
      await pause(shortestMs, this.#closing.signal);
    }
    this.#states.delete(notice);
  }

  async #notify(payload: string): Promise<void> {
    await this.database.query("SELECT pg_notify($1, $2)", channelOf(this.schema), payload).catch(() => {});
  }
}
