import { clientKey } from "../http/client-address";
import { streamLimit } from "../http/open-connections";

/** Maximum number of streams per client, above the needs of a well-behaved client. Each stream costs a connection. */
const perClient = 100;

const loopback = /^(0:0:0:0$|127\.)/;

/** Limits the number of open streams, in total and per client address. Loopback addresses have only the total limit. */
export class StreamPlaces {
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(readonly inAll = streamLimit()) {}

  /** Takes a place. Returns a function that gives it back, or the reason if no place is free. */
  take(address: string | null): (() => void) | string {
    const client = clientKey(address);
    const taken = this.#taken.get(client) ?? 0;
    if (this.#all >= this.inAll) return `The service already has ${this.inAll} open streams, its maximum.`;
    if (taken >= perClient && !loopback.test(client)) return `This client already has ${perClient} open streams, the maximum per client.`;
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
