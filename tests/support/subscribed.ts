import type { ConsumerOptions, EventPattern } from "warren/consumer";
import { resolveConsumer } from "../../src/delivery/consumer-options";
import { Worker } from "../../src/delivery/worker";
import { consumeFrom } from "../../src/rabbitmq/consume";
import { Interrupted } from "../../src/rabbitmq/interrupted";
import type { Parking } from "../../src/rabbitmq/park";
import type { Event } from "../../src/schema/event";
import type { ConsumerStore } from "../../src/store/consumer/store";
import { openConsumerFile } from "../../src/store/sqlite/consumer/file";
import type { ItemPattern } from "./item-events";
import { MockChannel } from "./mock-channel";
import { recordedLog } from "./recorded-log";
import { catalogue } from "./resources";
import { settled } from "./settled";

/** Number of deliveries from which on the consumers of these tests give messages back as copies. */
export const mostRequeues = 10;

/**
 * Creates a consumer of the queue `q` in one process, on mock channels. Several channels in a row simulate a lost connection. Every channel
 * is silent until the test responds for the broker.
 */
export function consumerOn<const Pattern extends EventPattern = ItemPattern>(options: ConsumerOptions<Pattern>) {
  const { log, lines, at } = recordedLog();
  const consumer = resolveConsumer({ queue: "q", ...options } as ConsumerOptions<Pattern>, catalogue, log, () => {});
  let opened: ConsumerStore | undefined;
  const file = () => {
    opened ??= openConsumerFile(":memory:", { durable: false });
    return opened;
  };
  const ready = consumer.exactlyOnce ? file().together(async ({ transaction }) => consumer.setup(transaction)) : undefined;
  const worker = new Worker(consumer, async () => file());
  const interrupted = new Interrupted();
  const newChannel = new MockChannel();
  newChannel.broker = (copy) => copy.nack();
  const parked = { forgotten: 0, quarantined: [] as string[] };
  const parking: Parking = {
    retryQueue: async (delayMs) => `q.retry.${delayMs}`,
    deadQueue: async () => "q.dead",
    onNewChannel: (use) => use(newChannel),
    forget: () => {
      parked.forgotten += 1;
    },
    quarantine: (message, _, why) => {
      parked.quarantined.push(`${message.content}: ${why}`);
      return "a file";
    },
    patienceMs: Number.POSITIVE_INFINITY,
  };
  return {
    worker,
    interrupted,
    parking,
    parked,
    /** The channel of copies that were refused on that of the subscription. It refuses them, too. */
    newChannel,
    lines,
    at,
    /** Returns whether the consumer's file was needed. */
    hasFile: () => opened !== undefined,
    file,
    async subscribe(channel = new MockChannel()) {
      await ready;
      const subscription = await consumeFrom(channel, channel.signal, worker, parking, interrupted, mostRequeues);
      return { channel, subscription };
    },
  };
}

/** Delivers an event in the form in which the relay sends it. */
export function deliver(channel: MockChannel, event: Event, fields: { redelivered?: boolean } = {}, headers: Record<string, unknown> = {}) {
  return channel.deliver(JSON.stringify(event), { messageId: event.id, type: event.type, headers }, fields);
}

/** Creates a consumer whose handler ends when the test says so, and records the events it began. */
export function gatedConsumer(options: { concurrency?: number; handlerTimeoutMs?: number; fails?: Error } = {}) {
  const begun: number[] = [];
  let gate = Promise.withResolvers<void>();
  const consumer = consumerOn({
    concurrency: options.concurrency ?? 1,
    handlerTimeoutMs: options.handlerTimeoutMs ?? 30_000,
    handle: async ({ item }) => {
      begun.push(item.id);
      await gate.promise;
      if (options.fails) throw options.fails;
    },
  });
  return {
    ...consumer,
    begun,
    async end() {
      gate.resolve();
      gate = Promise.withResolvers();
      await settled();
    },
  };
}
