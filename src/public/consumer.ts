export { everyFlagHelp, readFlags } from "../consumer/flags";
export { runConsumer, runConsumers } from "../consumer/run";
export type { AnyEvent, AskedTypes, EventPattern, Matching } from "../delivery/consumed-events";
export { ConsumerError, type ConsumerOptions } from "../delivery/consumer-options";
export type { ExactlyOnceContext, HandlerContext } from "../delivery/context";
export { Reject, RetryAfter } from "../delivery/outcome";
export type { ErasedEvent } from "../schema/event";
export type { SqlValue, Transaction } from "../store/consumer/transaction";
