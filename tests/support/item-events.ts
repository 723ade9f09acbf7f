import type { ConsumerOptions } from "warren/consumer";
import type { item } from "../../src/domain/item";
import type { EventOf } from "../../src/schema/event";

// The tests use items, regardless of the program's other resources.
export type ItemEvent = EventOf<typeof item>;
export type ItemPattern = ItemEvent["type"] | "item.*";
export type ItemConsumer = ConsumerOptions<ItemPattern>;
