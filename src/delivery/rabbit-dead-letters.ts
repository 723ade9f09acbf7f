import type { Broker, ConfirmChannel, ConsumeMessage, Message } from "../broker/connection";
import { Publisher } from "../broker/publisher";
import { deadQueueOf, queueDepth } from "../broker/topology";
import { messageOf } from "../observe/logging";
import {
  type DeadLetter,
  type DeadLetterPage,
  type DeadLetters,
  DeadLettersUnavailable,
  type DeadSelection,
  isSelected,
  shownBody,
} from "./dead-letters";
import { failuresOf, firstFailureOf, revivedCopyOf } from "./parked-message";
import { Signal } from "./signal";

/** Fetched ahead; what was looked at and stays where it is counts too, until the channel closes. */
const ahead = 500;

/** Dead letters on RabbitMQ: the messages of `<queue>.dead`. */
export class RabbitDeadLetters implements DeadLetters {
  /** @param queueNames every queue that may have some. */
  constructor(
    readonly broker: Broker,
    readonly queueNames: () => Promise<readonly string[]>,
  ) {}

  async queues(): Promise<{ queue: string; count: number }[]> {
    this.#refuseIfAway();
    const counts = (await this.queueNames()).map(async (queue) => ({
      queue,
      count: (await queueDepth(this.broker, deadQueueOf(queue))) ?? 0,
    }));
    return Promise.all(counts);
  }

  async list(queue: string, selection: DeadSelection, after: number, limit: number): Promise<DeadLetterPage> {
    const deadLetters: DeadLetter[] = [];
    let seen = 0;
    let next: number | null = null;
    await this.#read(queue, async (message) => {
      seen += 1;
      if (seen <= after || !isSelected(selection, about(message))) return "keep";
      if (deadLetters.length === limit) {
        next = seen - 1;
        return "enough";
      }
      deadLetters.push({ ...about(message), ...shownBody(message.content) });
      return "keep";
    });
    return { deadLetters, next };
  }

  async redrive(queue: string, selection: DeadSelection): Promise<number> {
    let redriven = 0;
    await this.#read(queue, async (message, publisher) => {
      if (!isSelected(selection, about(message))) return "keep";
      await publisher.publish(revivedCopyOf(message, queue));
      redriven += 1;
      return "remove";
    });
    return redriven;
  }

  async discard(queue: string, selection: DeadSelection): Promise<number> {
    let discarded = 0;
    await this.#read(queue, async (message) => {
      if (!isSelected(selection, about(message))) return "keep";
      discarded += 1;
      return "remove";
    });
    return discarded;
  }

  /**
   * Looks at every dead letter that is there now. What is kept stays unacknowledged until the channel closes, and then
   * stands in the queue as before.
   */
  async #read(
    queue: string,
    look: (message: ConsumeMessage, publisher: Publisher) => Promise<"keep" | "remove" | "enough">,
  ): Promise<void> {
    this.#refuseIfAway();
    const name = deadQueueOf(queue);
    const count = await queueDepth(this.broker, name);
    if (!count) return;
    await this.broker
      .withConfirmChannel((channel, closed) => readAll(channel, closed, name, count, look))
      .catch((error: unknown) => {
        throw new DeadLettersUnavailable(
          /ACCESS_REFUSED|RESOURCE_LOCKED/.test(messageOf(error))
            ? `Somebody else works on the dead letters of "${queue}" right now; try again when that is done.`
            : `The dead letters of "${queue}" could not be read: ${messageOf(error)}`,
          { cause: error },
        );
      });
  }

  #refuseIfAway(): void {
    if (this.broker.state === "connected" || this.broker.state === "blocked") return;
    throw new DeadLettersUnavailable("RabbitMQ, which has the dead letters, cannot be reached now; they are safe there.");
  }
}

async function readAll(
  channel: ConfirmChannel,
  closed: AbortSignal,
  queue: string,
  count: number,
  look: (message: ConsumeMessage, publisher: Publisher) => Promise<"keep" | "remove" | "enough">,
): Promise<void> {
  const publisher = new Publisher(channel);
  const moved = new Signal();
  let begun = 0;
  let kept = 0;
  let enough = false;
  let working = 0;
  let failure: unknown;
  let cancelled = false;
  // For the whole channel, so that it can grow with what is kept.
  await channel.prefetch(ahead, true);
  closed.addEventListener("abort", () => moved.raise(), { once: true });

  const settle = async (message: ConsumeMessage) => {
    try {
      const verdict = await look(message, publisher);
      if (verdict === "remove") channel.ack(message);
      else {
        kept += 1;
        if (kept % (ahead / 2) === 0) await channel.prefetch(kept + ahead, true);
      }
      if (verdict === "enough") enough = true;
    } catch (error) {
      failure ??= error;
    }
    working -= 1;
    moved.raise();
  };
  await channel.consume(
    queue,
    (message) => {
      if (message === null) cancelled = true;
      else if (begun < count && !enough && failure === undefined) {
        begun += 1;
        working += 1;
        void settle(message);
        return;
      }
      moved.raise();
    },
    { exclusive: true },
  );
  while (!closed.aborted && !cancelled && failure === undefined && !enough && (begun < count || working > 0)) await moved.wait();
  while (working > 0 && !closed.aborted) await moved.wait();
  if (failure !== undefined) throw failure;
  if (closed.aborted) throw new Error("the connection to RabbitMQ was lost on the way");
}

/** What the headers and properties of a dead letter say. */
function about(message: Message): Omit<DeadLetter, "body" | "bodyEncoding" | "bodyBytes"> {
  const { messageId, type, headers = {} } = message.properties;
  const text = (name: string) => (typeof headers[name] === "string" ? (headers[name] as string) : null);
  return {
    id: typeof messageId === "string" ? messageId : "",
    type: typeof type === "string" ? type : null,
    reason: text("x-reason") ?? "unknown",
    error: text("x-error") ?? "",
    stack: text("x-stack"),
    attempts: failuresOf(message),
    firstFailure: firstFailureOf(message) ?? null,
    lastFailure: text("x-last-failure"),
  };
}
