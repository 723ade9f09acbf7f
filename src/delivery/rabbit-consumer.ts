import type { ConfirmChannel, ConsumeMessage } from "../broker/connection";
import { type PublishChannel, Publisher } from "../broker/publisher";
import { messageOf } from "../observe/logging";
import { attempt, type Consumer, describe } from "./attempt";
import { decide, type Outcome } from "./outcome";

/** What consuming needs of a confirm channel of amqplib. */
export type ConsumerChannel = PublishChannel & Pick<ConfirmChannel, "prefetch" | "consume" | "cancel" | "ack">;

/** Makes the queues that a message is moved to, and answers their names. */
export interface Parking {
  retryQueue(delayMs: number): Promise<string>;
  deadQueue(): Promise<string>;
}

export interface Subscription {
  /** Fulfils when the broker has taken the subscription away, as it does when the queue is deleted. */
  readonly cancelled: Promise<void>;
  /** Takes no more messages, and answers when the one in hand is settled. Those not begun go back to the queue. */
  drain(): Promise<void>;
}

/**
 * Handles the messages of one queue, one after another, and settles each exactly once. A copy for a retry or a dead
 * letter is confirmed before its original is acknowledged.
 *
 * @param closed aborts when the channel is gone: whatever was not settled then is delivered anew.
 */
export async function consumeFrom(
  channel: ConsumerChannel,
  closed: AbortSignal,
  consumer: Consumer,
  parking: Parking,
): Promise<Subscription> {
  const { queue, log } = consumer;
  const publisher = new Publisher(channel);
  const cancelled = Promise.withResolvers<void>();
  const buffer: ConsumeMessage[] = [];
  let draining = false;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    for (let message = buffer.shift(); message && !draining && !closed.aborted; message = buffer.shift()) {
      const failedBefore = attemptsOf(message);
      const result = await attempt(consumer, message.content, failedBefore);
      await settle(message, decide(result, failedBefore, consumer.retry, Math.random()));
    }
    working = undefined;
  }

  async function settle(message: ConsumeMessage, outcome: Outcome): Promise<void> {
    if (outcome.action !== "ack") {
      const { attempts, error } = outcome;
      const about = { queue, id: message.properties.messageId, type: message.properties.type, attempts, error: describe(error).message };
      if (outcome.action === "retry")
        log.warn({ ...about, delayMs: outcome.delayMs }, "The handler failed; the event is tried again later");
      else log.error({ ...about, reason: outcome.reason }, "An event was given up");
      if (!(await park(message, outcome))) return;
    }
    // On a closed channel amqplib throws; the broker delivers the message again.
    if (!closed.aborted) channel.ack(message);
  }

  /** Copies a message to where it waits or rests; false when the channel went before that was confirmed. */
  async function park(message: ConsumeMessage, outcome: Exclude<Outcome, { action: "ack" }>): Promise<boolean> {
    // A temporary queue has no place of its own that outlives it; the event itself is still in the log.
    if (consumer.temporary && outcome.action === "dead-letter") return true;
    for (let pauseMs = 100; !closed.aborted; pauseMs = Math.min(5000, pauseMs * 2)) {
      try {
        const target = outcome.action === "retry" ? await parking.retryQueue(outcome.delayMs) : await parking.deadQueue();
        await publishCopy(publisher, target, message, failureHeaders(message, queue, outcome));
        return true;
      } catch (error) {
        if (closed.aborted) break;
        log.error(
          { queue, error: messageOf(error), pauseMs },
          "A failed event could not be moved; it stays unacknowledged and this is tried again",
        );
        await Promise.race([Bun.sleep(pauseMs), aborted(closed)]);
      }
    }
    return false;
  }

  await channel.prefetch(consumer.prefetch);
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message === null) cancelled.resolve();
    else {
      buffer.push(message);
      // Never handled inside amqplib's callback, where an exception would close the channel.
      working ??= Promise.resolve().then(work);
    }
  });

  return {
    cancelled: cancelled.promise,
    async drain() {
      draining = true;
      if (!closed.aborted) await channel.cancel(consumerTag).catch(() => {});
      await working;
    },
  };
}

/** How often the message has failed before; a header that makes no sense counts as none. */
function attemptsOf(message: ConsumeMessage): number {
  const value: unknown = message.properties.headers?.["x-attempts"];
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function failureHeaders(message: ConsumeMessage, queue: string, outcome: Exclude<Outcome, { action: "ack" }>): Record<string, unknown> {
  const now = new Date().toISOString();
  const first: unknown = message.properties.headers?.["x-first-failure"];
  const { message: error, stack } = describe(outcome.error);
  return {
    "x-attempts": outcome.attempts,
    "x-error": error,
    "x-first-failure": typeof first === "string" && first.length <= 40 ? first : now,
    "x-last-failure": now,
    ...(outcome.action === "dead-letter" && { "x-reason": outcome.reason, "x-queue": queue, ...(stack && { "x-stack": stack }) }),
  };
}

/**
 * The broker's own notes of earlier returns; and `CC` and `BCC`, which would send the copy elsewhere as well
 * (RabbitMQ's sender-selected distribution).
 */
const droppedHeader = /^(x-death|x-(first|last)-death-.*|CC|BCC)$/;

/** Copies body and properties, without those that would make the copy expire or be refused. */
async function publishCopy(publisher: Publisher, target: string, message: ConsumeMessage, added: Record<string, unknown>): Promise<void> {
  const { messageId, type, timestamp, contentType, contentEncoding, correlationId, appId, headers = {} } = message.properties;
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !droppedHeader.test(name)));
  const copy = (headers: Record<string, unknown>) =>
    publisher.publish({
      exchange: "",
      routingKey: target,
      content: message.content,
      options: {
        messageId: messageId || Bun.randomUUIDv7(),
        type,
        timestamp,
        contentType,
        contentEncoding,
        correlationId,
        appId,
        persistent: true,
        headers,
      },
    });
  try {
    await copy({ ...kept, ...added });
  } catch (error) {
    // Headers that a message came with may leave no room for ours, or be of a kind that amqplib reads but cannot write.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    await copy(added);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
