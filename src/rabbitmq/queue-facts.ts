import { QueueUnavailable } from "../delivery/queue-errors";
import type { Broker, Options } from "./connection";
import { isPreconditionFailed } from "./reply-code";
import { queueState } from "./topology";

export type QueueArguments = Readonly<Record<string, string | number | boolean>>;

/** How a queue was declared. */
export interface QueueFacts {
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: QueueArguments;
  /** True if the only node that holds the queue is down. */
  readonly isDown?: boolean;
}

/** Upper bound for the number of arguments of a queue. */
const mostArguments = 32;
const difference = /inequivalent arg '([^']+)' for queue .* current is (?:the value '(.*)' of type '(\w+)'|'(.*)')/;

/**
 * Finds out how a queue was declared. Resolves with undefined if the queue does not exist. AMQP cannot ask for this, but RabbitMQ refuses
 * a declaration that differs, and names the first difference with its current value. So this declares the queue again and again with what
 * it has learned, until RabbitMQ accepts. Policies are not visible this way.
 */
export async function queueFacts(broker: Broker, queue: string): Promise<QueueFacts | undefined> {
  try {
    if ((await queueState(broker, queue)) === undefined) return undefined;
  } catch (error) {
    if (!(error instanceof QueueUnavailable)) throw error;
    return { durable: true, autoDelete: false, arguments: {}, isDown: true };
  }
  let facts: QueueFacts = { durable: true, autoDelete: false, arguments: {} };
  for (let round = 0; round < mostArguments; round += 1) {
    const options: Options.AssertQueue = facts;
    try {
      await broker.withChannel((channel) => channel.assertQueue(queue, options));
      return facts;
    } catch (error) {
      if (!isPreconditionFailed(error)) throw error;
      const learned = learn(facts, (error as Error).message);
      if (!learned) return facts;
      facts = learned;
    }
  }
  return facts;
}

/** Adds what an error message of RabbitMQ says about a queue. Returns undefined if the message says nothing new. */
export function learn(facts: QueueFacts, message: string): QueueFacts | undefined {
  const [, name, argument, type, property] = difference.exec(message) ?? [];
  if (name === "durable") return { ...facts, durable: property === "true" };
  if (name === "auto_delete") return { ...facts, autoDelete: property === "true" };
  if (name === undefined || argument === undefined || type === undefined || name in facts.arguments) return undefined;
  return { ...facts, arguments: { ...facts.arguments, [name]: typed(argument, type) } };
}

function typed(value: string, type: string): string | number | boolean {
  if (type === "longstr") return value;
  return type === "bool" ? value === "true" : Number(value);
}
