import type { ConsumerOptions } from "warren/consumer";
import type { item } from "../../src/domain/item";
import type { EventOf } from "../../src/schema/event";

// The tests work with items, whatever other resources the program has by now.
export type ItemEvent = EventOf<typeof item>;
export type ItemPattern = ItemEvent["type"] | "item.*";
export type ItemConsumer = ConsumerOptions<ItemPattern>;
