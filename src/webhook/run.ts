import { runConsumers } from "../consumer/run";
import type { ConsumerOptions } from "../delivery/consumer-options";
import { Answers } from "./answers";
import { readCommand } from "./command";
import { deliver } from "./deliver";
import { type DisabledSubscriptions, disabledText } from "./disabled";
import { describeSubscription, type Subscription, shownUrl } from "./subscriptions";

/** Time limit for pending responses while stopping. */
const answersTimeoutMs = 5000;

/** Describes the consumer of any subscription, for the documentation. It is not a consumer to run. */
export const webhooks = {
  queue: "webhook.{name}",
  events: ["#"],
  description: "Delivers the events of each subscription to its URL, signed per Standard Webhooks.",
};

/** Returns the consumer of a subscription. Each has its own queue, so that retries and dead letters are separate. */
function webhook(subscription: Subscription, disabled: DisabledSubscriptions, answers: Answers, stopping: AbortSignal): ConsumerOptions {
  const { name, events, startFrom, concurrency, ratePerSecond, retry, timeoutMs } = subscription;
  return {
    queue: `webhook.${name}`,
    events,
    startFrom,
    concurrency,
    retry,
    ...(ratePerSecond !== null && { ratePerSecond }),
    // A delivery has its own, shorter time limit.
    handlerTimeoutMs: timeoutMs + 10_000,
    async handle(event, { attempt, queue, log }) {
      if (!disabled.get(subscription)) {
        const noted = answers.begin();
        const result = await deliver(subscription, event, { attempt, stopping, onAnswer: noted.status }).finally(noted.end);
        if (result === "delivered") return log.debug({ queue, ms: noted.ms() }, "Delivered");
      }
      if (disabled.disable(subscription, event.timestamp)) log.warn({ queue }, disabledText(name, event.timestamp));
    },
    onReady: () => console.log(`Delivering ${describeSubscription(subscription)}`),
  };
}

/**
 * Delivers events to the subscriptions of the config file until SIGINT or SIGTERM. It reads the command line of the process.
 * A mistake in the config file is printed, and the process exits with 1.
 */
export async function runWebhooks(): Promise<never> {
  const { subscriptions, disabled, flags } = await readCommand();
  const stopping = new AbortController();
  const all = subscriptions.map((subscription) => ({ subscription, answers: new Answers() }));
  return runConsumers(
    all.map(({ subscription, answers }) => webhook(subscription, disabled, answers, stopping.signal)),
    {
      onStop: () => setTimeout(() => stopping.abort(), answersTimeoutMs),
      flags,
      webhooks: all.map(({ subscription, answers }) => () => ({
        url: shownUrl(subscription),
        answers: answers.list(),
        disabledSince: disabled.get(subscription)?.since ?? null,
      })),
    },
  );
}
