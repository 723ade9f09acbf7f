import { isProtocolError } from "./channel";
import type { Message } from "./connection";
import { identityOf } from "./failed-copy";

/** After so many channels that RabbitMQ closed over copies of one message, that message is the reason. */
const mostBlame = 2;

/**
 * Finds out over which message RabbitMQ closes a channel, or the connection: all that are on their way then are suspects,
 * and are sent one after another from then on. A connection that is lost in another way blames none.
 */
export class Suspects {
  /** By the message. Those that are the same in all share what is said of them. */
  readonly #blame = new Map<string, { readonly channels: number; readonly last: AbortSignal }>();
  #turn: Promise<unknown> = Promise.resolve();
  #hasLearned = false;

  /** Whether RabbitMQ closed a channel twice over a copy of this message. */
  isGuilty(message: Message): boolean {
    return (this.#blame.get(identityOf(message))?.channels ?? 0) >= mostBlame;
  }

  /** Runs `send`, which publishes a copy of a message on a channel; rejects as `send` does. */
  send(message: Message, closed: AbortSignal, send: () => Promise<void>): Promise<void> {
    const identity = identityOf(message);
    const sent = async () => {
      // What waited for its turn on a channel that is closed was not sent.
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

  /** Whether a message was blamed since this was asked last: then another try gets further. */
  hasLearned(): boolean {
    const learned = this.#hasLearned;
    this.#hasLearned = false;
    return learned;
  }

  /** What is forgotten costs another channel. */
  forgetOldest(most: number): void {
    for (const identity of this.#blame.keys()) {
      if (this.#blame.size <= most) break;
      this.#blame.delete(identity);
    }
  }
}
