import type { Message } from "./connection";
import { dropOldest } from "./drop-oldest";
import { identityOf } from "./message-headers";
import { isProtocolError } from "./reply-code";

/** Number of channels closed over copies of a message after which that message is held responsible. */
const mostBlame = 2;

/**
 * Finds the message over which RabbitMQ closes a channel or the connection. All messages in transit at that moment become suspects, and are
 * sent one at a time from then on. Losing a connection for another reason blames no message.
 */
export class Suspects {
  /** Blame by message identity. Identical messages share an entry. */
  readonly #blame = new Map<string, { readonly channels: number; readonly last: AbortSignal }>();
  #turn: Promise<unknown> = Promise.resolve();
  #hasLearned = false;

  /** Returns whether RabbitMQ closed a channel twice over a copy of this message. */
  isGuilty(message: Message): boolean {
    return (this.#blame.get(identityOf(message))?.channels ?? 0) >= mostBlame;
  }

  /** Runs `send`, which publishes a copy of a message on a channel. Rejects with the error of `send`. */
  send(message: Message, closed: AbortSignal, send: () => Promise<void>): Promise<void> {
    const identity = identityOf(message);
    const sent = async () => {
      // A message that waited for its turn on a closed channel was not sent.
      closed.throwIfAborted();
      try {
        await send();
      } catch (error) {
        if (closed.aborted && isProtocolError(closed.reason)) {
          const { channels = 0, last } = this.#blame.get(identity) ?? {};
          if (last !== closed) this.#blame.set(identity, { channels: channels + 1, last: closed });
          this.#hasLearned = true;
        }
        throw error;
      }
      this.#blame.delete(identity);
    };
    if (!this.#blame.has(identity)) return sent();
    const turn = this.#turn.then(sent);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Returns whether a message was blamed since the last call. If so, another attempt gets further. */
  hasLearned(): boolean {
    const learned = this.#hasLearned;
    this.#hasLearned = false;
    return learned;
  }

  /** Forgets the oldest entries beyond `most`. Each forgotten suspect may cost another channel. */
  forgetOldest(most: number): void {
    dropOldest(this.#blame, most);
  }
}
