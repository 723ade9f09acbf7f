/**
 * Finds the event of the log over which RabbitMQ closes a channel. All events in flight at that moment become suspects, which their
 * publisher sends one at a time on the next channel. If that closes over one of them, it is the culprit.
 */
export class Culprit {
  #suspectUpTo = 0;

  /** Returns whether the event at this position must be the only one in flight. */
  isSuspect(position: number): boolean {
    return position <= this.#suspectUpTo;
  }

  /** Records the events in flight when RabbitMQ closed the channel. Returns the culprit once it is certain. */
  blame<E extends { readonly position: number }>(inFlight: readonly E[]): E | undefined {
    const [only] = inFlight;
    if (only && inFlight.length === 1 && this.isSuspect(only.position)) return only;
    this.#suspectUpTo = Math.max(this.#suspectUpTo, ...inFlight.map(({ position }) => position));
    return undefined;
  }
}
