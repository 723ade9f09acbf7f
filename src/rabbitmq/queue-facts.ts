import type { Broker, Options } from "./connection";
import { isPreconditionFailed } from "./reply-code";
import { queueState } from "./topology";

export type QueueArguments = Readonly<Record<string, string | number | boolean>>;

/** How a queue was declared. */
export interface QueueFacts {
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: QueueArguments;
}

/** A queue has fewer arguments than this. */
const mostArguments = 32;
const difference = /inequivalent arg '([^']+)' for queue .* current is (?:the value '(.*)' of type '(\w+)'|'(.*)')/;

/**
 * Finds out how a queue was declared; undefined: there is no such queue. AMQP has no question for that. But RabbitMQ
 * refuses a declaration that differs, and names the first difference and what is there: so this declares the queue again
 * with what it has learned, until RabbitMQ accepts. What a policy says does not show.
 */
export async function queueFacts(broker: Broker, queue: string): Promise<QueueFacts | undefined> {
  if ((await queueState(broker, queue)) === undefined) return undefined;
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

/** Undefined: the message says nothing new. */
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
