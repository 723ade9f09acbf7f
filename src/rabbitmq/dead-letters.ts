import {
  type DeadLetter,
  type DeadLetterPage,
  type DeadLetters,
  type DeadScan,
  type DeadSelection,
  isSelected,
  shownBody,
  type Watch,
} from "../delivery/dead-letters";
import { QueueUnavailable, UnknownQueue } from "../delivery/queue-errors";
import { messageOf } from "../observe/logging";
import type { Broker, Message } from "./connection";
import { revivedCopiesOf } from "./copies";
import { readDeadQueue } from "./dead-queue";
import { type Look, QueueTaken, type Reading } from "./dead-queue-reader";
import { failuresOf, firstFailureOf, lastFailureOf } from "./message-headers";
import { Suspects } from "./suspects";
import { deadQueueOf, queueDepth } from "./topology";
import { unanswered } from "./unanswered";
import { whyUnavailable } from "./unavailable";

const lookAtBrokerEveryMs = 250;

/** Dead letters on RabbitMQ: the messages of `<queue>.dead`. */
export class RabbitDeadLetters implements DeadLetters {
  /** @param queueNames Resolves with the name of every queue that may have dead letters. */
  constructor(
    readonly broker: Broker,
    readonly queueNames: () => Promise<readonly string[]>,
  ) {}

  async queues(): Promise<{ queue: string; count: number }[]> {
    this.#refuseIfAway();
    const counts = await Promise.all(
      (await this.queueNames()).map(async (queue) => {
        // A queue that RabbitMQ refuses to show must not hide the others.
        const count = await this.#depthOf(queue, deadQueueOf(queue)).catch(() => undefined);
        return { queue, count: count ?? 0 };
      }),
    );
    this.#refuseIfAway();
    return counts;
  }

  async check(queue: string): Promise<void> {
    this.#refuseIfAway();
    if ((await this.#depthOf(queue, deadQueueOf(queue))) === undefined && (await this.#depthOf(queue)) === undefined)
      throw new UnknownQueue(queue);
  }

  async scan(queue: string, selection: DeadSelection, most: number, look: (letter: DeadLetter) => void): Promise<DeadScan> {
    let looked = 0;
    let upTo = 0;
    await this.#read(
      queue,
      (message) => {
        if (looked === most) return "enough";
        looked += 1;
        if (isIn(selection, message)) look(toDeadLetter(message));
        return "keep";
      },
      {
        onProgress(_, of) {
          upTo = of;
        },
      },
    );
    return { looked, isComplete: looked >= upTo, upTo };
  }

  async list(queue: string, selection: DeadSelection, after: number, limit: number): Promise<DeadLetterPage> {
    const deadLetters: DeadLetter[] = [];
    let seen = 0;
    let next: number | null = null;
    let upTo = 0;
    await this.#read(
      queue,
      (message) => {
        // More messages can arrive after the page is full.
        if (next !== null) return "keep";
        seen += 1;
        if (seen <= after || !isIn(selection, message)) return "keep";
        if (deadLetters.length === limit) {
          next = seen - 1;
          return "enough";
        }
        deadLetters.push(toDeadLetter(message));
        return "keep";
      },
      {
        onProgress(_, of) {
          upTo = of;
        },
      },
    );
    return { deadLetters, next, upTo };
  }

  /** The bound is how many of the oldest ones it includes. */
  boundAfter(upTo: number, removed: number): number {
    return Math.max(0, upTo - removed);
  }

  async redrive(queue: string, selection: DeadSelection, watch?: Watch): Promise<number> {
    this.#refuseIfAway();
    if ((await this.#depthOf(queue)) === undefined) throw new UnknownQueue(queue);
    let redriven = 0;
    const suspects = new Suspects();
    for (;;) {
      try {
        await this.#read(
          queue,
          async (message, publisher, closed) => {
            if (!isIn(selection, message) || suspects.isGuilty(message)) return "keep";
            await suspects.send(message, closed, () => publisher.publishFirst(revivedCopiesOf(message, queue)));
            redriven += 1;
            return "remove";
          },
          { ...readingOf(watch, () => redriven), most: selection.upTo === undefined ? undefined : Math.max(0, selection.upTo - redriven) },
        );
        return redriven;
      } catch (error) {
        // A message over which RabbitMQ closes the channel stays in place and does not block the others.
        if (!suspects.hasLearned()) throw error;
      }
    }
  }

  async discard(queue: string, selection: DeadSelection, watch?: Watch): Promise<number> {
    let discarded = 0;
    await this.#read(
      queue,
      (message) => {
        if (!isIn(selection, message)) return "keep";
        discarded += 1;
        return "remove";
      },
      { ...readingOf(watch, () => discarded), most: selection.upTo },
    );
    return discarded;
  }

  /** Passes every current dead letter to `look`. */
  async #read(queue: string, look: Look, watch: Reading = {}): Promise<void> {
    this.#refuseIfAway();
    const name = deadQueueOf(queue);
    // A queue that looks empty may have messages: another reader may hold all of them.
    if ((await this.#depthOf(queue, name)) === undefined) {
      if ((await this.#depthOf(queue)) === undefined) throw new UnknownQueue(queue);
      return;
    }

    const giveUp = new AbortController();
    const stop = watch.stop ? AbortSignal.any([watch.stop, giveUp.signal]) : giveUp.signal;
    const blocked = Promise.withResolvers<never>();
    // A broker that blocks publishers would delay the response for just as long.
    const timer = setInterval(() => {
      if (this.broker.state !== "blocked") return;
      giveUp.abort();
      const trouble = `${whyUnavailable(this.broker)} Work in progress completes when it does; the rest is unchanged.`;
      blocked.reject(new QueueUnavailable(trouble));
    }, lookAtBrokerEveryMs);
    try {
      await Promise.race([readDeadQueue(this.broker, name, look, { ...watch, stop }).catch(this.#explain(queue)), blocked.promise]);
    } finally {
      clearInterval(timer);
    }
  }

  #depthOf(queue: string, name = queue): Promise<number | undefined> {
    return queueDepth(this.broker, name).catch(unanswered(queue));
  }

  #explain(queue: string) {
    return (error: unknown): never => {
      throw new QueueUnavailable(
        error instanceof QueueTaken
          ? `The dead letters of "${queue}" are in use by another program; try again when it is done.`
          : `The dead letters of "${queue}" could not all be processed: ${messageOf(error)}. The others are unchanged.`,
        { cause: error },
      );
    };
  }

  #refuseIfAway(): void {
    const trouble = whyUnavailable(this.broker);
    if (trouble) throw new QueueUnavailable(`${trouble} The dead letters are safe there.`);
  }
}

/** @param done returns the number of dead letters that were redriven or discarded. */
function readingOf({ stop, onProgress }: Watch = {}, done: () => number): Reading {
  return { ...(stop && { stop }), ...(onProgress && { onProgress: (looked, of) => onProgress(looked, of, done()) }) };
}

function isIn(selection: DeadSelection, message: Message): boolean {
  return isSelected(selection, { ...about(message), text: () => new TextDecoder().decode(message.content) });
}

function toDeadLetter(message: Message): DeadLetter {
  return { ...about(message), ...shownBody(message.content) };
}

/** Extracts the details of a dead letter from its headers and properties. */
function about(message: Message): Omit<DeadLetter, "body" | "bodyEncoding" | "bodyBytes"> {
  const { messageId, type, headers = {} } = message.properties;
  const text = (name: string) => (typeof headers[name] === "string" ? (headers[name] as string) : null);
  return {
    id: typeof messageId === "string" ? messageId : "",
    type: typeof type === "string" ? type : null,
    reason: text("x-reason") ?? givenUpBy(headers) ?? "unknown",
    error: text("x-error") ?? (givenUpBy(headers) ? "RabbitMQ dead-lettered it because of the queue's settings" : ""),
    stack: text("x-stack"),
    attempts: failuresOf(message),
    firstFailure: firstFailureOf(message),
    lastFailure: lastFailureOf(message),
  };
}

/** Why RabbitMQ itself moved a message, such as `delivery_limit`. */
function givenUpBy({ "x-death": deaths }: Record<string, unknown>): string | undefined {
  const last: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  return typeof last === "object" && last !== null && "reason" in last ? String(last.reason) : undefined;
}
