import { item } from "../src/domain/item";
import { serializeEvent } from "../src/schema/event";

/** Returns event bodies as Warren writes them, each about a different item. */
export function sampleEvents(count: number): Buffer[] {
  const timestamp = new Date().toISOString();
  return Array.from({ length: count }, (_, index) => {
    const record = { id: index + 1, ...sampleItem, version: 1, createdAt: timestamp, updatedAt: timestamp };
    const event = { id: Bun.randomUUIDv7(), type: "item.created", version: 1, timestamp };
    return Buffer.from(serializeEvent(event, item.name, JSON.stringify(record)));
  });
}

/** The item that load.lua creates, too. */
export const sampleItem = {
  name: "Sample Item",
  description: "An item of ordinary size, with a sentence or two that say what it is.",
  price: 9.99,
};
