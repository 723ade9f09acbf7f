import { ConfirmedPrefix } from "../delivery/confirmed-prefix";
import type { LogEntry } from "../store/log";

/** A reader's place in the event log: what is settled, and what may have been begun. */
export class LogCursor {
  readonly #settled = new ConfirmedPrefix();
  #position: number;
  #begun: number;
  /** What a process before this one may have begun. */
  readonly #suspectUpTo: number;
  /** The last entry that was taken. */
  #taken: number;
  #inHand = 0;

  constructor(start: { readonly position: number; readonly begun: number }) {
    this.#position = this.#taken = start.position;
    this.#begun = this.#suspectUpTo = start.begun;
  }

  /** Everything up to here is settled. */
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

  isSuspect(entry: LogEntry): boolean {
    return entry.position <= this.#suspectUpTo;
  }

  /** Notes that everything up to a position may be handled from now on; answers whether that is news. */
  begin(position: number): boolean {
    if (position <= this.#begun) return false;
    this.#begun = position;
    return true;
  }

  /** Notes that what was begun and not settled is not in hand any more. */
  rest(): void {
    this.#begun = this.#position;
  }

  /** Takes the next entry; answers how to settle it. */
  take(entry: LogEntry): () => void {
    this.#taken = entry.position;
    this.#inHand += 1;
    const confirm = this.#settled.send(entry.position);
    return () => {
      this.#inHand -= 1;
      this.#position = confirm() ?? this.#position;
    };
  }

  /** Passes over entries that nobody wants. */
  skip(position: number): void {
    this.#taken = position;
    if (this.#inHand === 0) this.#position = position;
    else this.#settled.send(position)();
  }
}
