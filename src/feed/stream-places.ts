import { clientKey } from "../http/client-address";
import { streamLimit } from "../http/open-connections";

/** Above what a client opens that is well; each costs a connection. */
const perClient = 100;

const loopback = /^(0:0:0:0$|127\.)/;

/** Bounds how many streams are open: for each client's address, but not on this machine, and in all. */
export class StreamPlaces {
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(readonly inAll = streamLimit()) {}

  /** Takes a place; answers how to give it back, or why there is none. */
  take(address: string | null): (() => void) | string {
    const client = clientKey(address);
    const taken = this.#taken.get(client) ?? 0;
    if (this.#all >= this.inAll) return `There are ${this.inAll} streams already.`;
    if (taken >= perClient && !loopback.test(client)) return `There are ${perClient} streams of this client already.`;
    this.#taken.set(client, taken + 1);
    this.#all += 1;
    return () => {
      this.#all -= 1;
      const left = (this.#taken.get(client) ?? 1) - 1;
      if (left > 0) this.#taken.set(client, left);
      else this.#taken.delete(client);
    };
  }
}
