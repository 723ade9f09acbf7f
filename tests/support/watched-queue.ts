import { connect } from "amqplib";

/** Everything that reaches a queue bound to the events of items, in order. */
export interface WatchedQueue {
  /** Ids of the events, in the order of their delivery, including repeats. */
  readonly ids: string[];
  close(): Promise<void>;
}

/**
 * Declares a queue, binds it, and takes whatever reaches it.
 *
 * @param isOwn true for a queue of a consumer, which the API declares and binds.
 */
export async function watchQueue(url: string, queue = "watched", isOwn = false): Promise<WatchedQueue> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const ids: string[] = [];
  if (!isOwn) {
    await channel.assertExchange("events", "topic", { durable: true });
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, "events", "item.*");
  }
  await channel.consume(
    queue,
    (message) => {
      if (message) ids.push(String(message.properties.messageId));
    },
    { noAck: true },
  );
  return { ids, close: () => connection.close() };
}

/** The faults in the deliveries of a log. */
export interface DeliveryFaults {
  readonly missing: number;
  /** Number of events whose first delivery came after that of a later event. */
  readonly outOfOrder: number;
  readonly repeated: number;
}

export function faultsOf(ids: readonly string[], log: readonly string[]): DeliveryFaults {
  const places = new Map(log.map((id, place) => [id, place]));
  const first = [...new Set(ids)].map((id) => places.get(id) ?? -1);
  let highest = -1;
  let outOfOrder = 0;
  for (const place of first) {
    if (place < highest) outOfOrder += 1;
    highest = Math.max(highest, place);
  }
  return { missing: log.length - first.length, outOfOrder, repeated: ids.length - first.length };
}
