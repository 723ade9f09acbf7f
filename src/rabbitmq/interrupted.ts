import type { Outcome } from "../delivery/outcome";
import type { ConsumeMessage } from "./connection";
import { dropOldest } from "./drop-oldest";
import { identityOf } from "./message-headers";
import { Suspects } from "./suspects";

/** Remembers the messages that this process held when a channel closed, so that a lost connection does not count as a crash. */
export class Interrupted {
  /** Messages that this process had not settled. It is still alive, so their redelivery is not suspect. */
  readonly held = new Set<string>();
  /** Messages that this process handled but could not acknowledge. */
  readonly handled = new Map<string, Outcome>();
  /** Messages over which RabbitMQ may have closed a channel. */
  readonly suspects = new Suspects();

  /**
   * Returns the outcome of a message that was handled but not acknowledged, and whether a process may have died on the message. Forgets
   * what it knows about it.
   */
  recall(message: ConsumeMessage): { readonly outcome: Outcome | undefined; readonly isSuspect: boolean } {
    if (!message.fields.redelivered) return { outcome: undefined, isSuspect: false };
    const identity = identityOf(message);
    const outcome = this.handled.get(identity);
    this.handled.delete(identity);
    return { outcome, isSuspect: !this.held.delete(identity) };
  }

  /** Forgets the oldest entries beyond `most`. A forgotten one costs a needless count or a second handling, never an event. */
  forgetOldest(most: number): void {
    this.suspects.forgetOldest(most);
    dropOldest(this.held, most);
    dropOldest(this.handled, most);
  }
}
