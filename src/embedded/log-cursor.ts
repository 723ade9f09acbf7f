import { ConfirmedPrefix } from "../delivery/confirmed-prefix";
import type { LogEntry } from "../store/log";

/** A reader's position in the event log: up to where entries are settled, and up to where they may have been started. */
export class LogCursor {
  readonly #settled = new ConfirmedPrefix();
  #position: number;
  #begun: number;
  /** Position up to which an earlier process may have started entries. */
  readonly #suspectUpTo: number;
  /** Position of the last entry taken. */
  #taken: number;
  #inHand = 0;

  constructor(start: { readonly position: number; readonly begun: number }) {
    this.#position = this.#taken = start.position;
    this.#begun = this.#suspectUpTo = start.begun;
  }

  /** Position up to which everything is settled. */
  get position(): number {
    return this.#position;
  }
  get begun(): number {
    return this.#begun;
  }
  get taken(): number {
    return this.#taken;
  }
  get inHand(): number {
    return this.#inHand;
  }

  /** Returns whether an earlier process may have died on the entry. */
  isSuspect(entry: LogEntry): boolean {
    return entry.position <= this.#suspectUpTo;
  }

  /** Records that entries up to a position may reach the handler from now on. Returns false if that was recorded before. */
  begin(position: number): boolean {
    if (position <= this.#begun) return false;
    this.#begun = position;
    return true;
  }

  /** Records that entries that were started and not settled are no longer in progress. */
  rest(): void {
    this.#begun = this.#position;
  }

  /** Takes the next entry. Returns a function that settles it. */
  take(entry: LogEntry): () => void {
    this.#taken = entry.position;
    this.#inHand += 1;
    const confirm = this.#settled.send(entry.position);
    return () => {
      this.#inHand -= 1;
      this.#position = confirm() ?? this.#position;
    };
  }

  /** Skips an entry that does not go to the handler. */
  skip(position: number): void {
    this.#taken = position;
    if (this.#inHand === 0) this.#position = position;
    else this.#settled.send(position)();
  }
}
