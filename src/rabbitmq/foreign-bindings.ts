import { typesWithErasure } from "../schema/erasure";
import type { Resource } from "../schema/resource";
import type { Broker } from "./connection";
import type { Binding, Management } from "./management";

/**
 * Binds another queue as a queue is bound, except for the bindings that Warren makes itself.
 *
 * @throws {Error} if the management API does not respond.
 */
export async function copyForeignBindings(
  broker: Broker,
  management: Management,
  from: string,
  to: string,
  resources: readonly Resource[],
): Promise<void> {
  const own = new Set(resources.flatMap((resource) => keysOf(resource).map((key) => `${resource.exchange} ${key}`)));
  const foreign = (await management.bindingsOf(from)).filter(({ exchange, key }) => !own.has(`${exchange} ${key}`));
  await broker.withChannel(async (channel) => {
    for (const { exchange, key, args } of foreign) await channel.bindQueue(to, exchange, key, args);
  });
}

/** Moves the bindings that were copied back to the queue. Messages that come in between reach both queues. */
export async function moveBindings(broker: Broker, management: Management, from: string, to: string): Promise<void> {
  const bindings: readonly Binding[] = await management.bindingsOf(from);
  await broker.withChannel(async (channel) => {
    for (const { exchange, key, args } of bindings) {
      await channel.bindQueue(to, exchange, key, args);
      await channel.unbindQueue(from, exchange, key, args);
    }
  });
}

function keysOf(resource: Resource): string[] {
  return [`${resource.name}.*`, ...typesWithErasure(resource)];
}
