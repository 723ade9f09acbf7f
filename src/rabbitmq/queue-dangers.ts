import type { QueueFacts } from "./queue-facts";
import { deadQueueOf } from "./topology";

/** A setting with which RabbitMQ can drop events that no consumer has handled. */
export interface QueueDanger {
  /** Argument or property, such as `x-max-length`. */
  readonly argument: string;
  /** Effect, worded to follow "drops events: ". */
  readonly what: string;
  /** How a person can correct it. */
  readonly todo: string;
}

/** Delivery limit in RabbitMQ 4 of a quorum queue that sets none. */
export const defaultDeliveryLimit = 20;

/**
 * Returns why a queue could drop events. Empty if it cannot.
 *
 * @param isCluster True if the broker has several nodes.
 */
export function dangersOf(queue: string, facts: QueueFacts, isCluster: boolean): QueueDanger[] {
  const { durable, autoDelete, arguments: args } = facts;
  const type = args["x-queue-type"] ?? "classic";
  const keepsDeadLetters = args["x-dead-letter-exchange"] === "" && args["x-dead-letter-routing-key"] === deadQueueOf(queue);
  const goesTo =
    "x-dead-letter-exchange" in args ? `leave the queue for the dead letter exchange "${args["x-dead-letter-exchange"]}"` : "are dropped";
  const refuses = refusesNew(args);
  const found: [boolean, string, string][] = [
    [!durable, "durable", "it is not durable, so it disappears when RabbitMQ restarts"],
    [autoDelete, "auto_delete", "it is deleted when its last consumer stops"],
    [type === "stream", "x-queue-type", "it is a stream, so a consumer skips to the next new event each time it starts"],
    ["x-expires" in args, "x-expires", `it is deleted when it has been unused for ${args["x-expires"]} ms`],
    ["x-max-age" in args, "x-max-age", `events older than ${args["x-max-age"]} are dropped`],
    ["x-message-ttl" in args && !keepsDeadLetters, "x-message-ttl", `events that have waited for ${args["x-message-ttl"]} ms ${goesTo}`],
    ...(["x-max-length", "x-max-length-bytes"] as const).map((name): [boolean, string, string] => [
      name in args && !refuses && !keepsDeadLetters,
      name,
      `beyond ${args[name]} ${name === "x-max-length" ? "events" : "bytes"}, the oldest ${goesTo}`,
    ]),
  ];
  const dangers = found.flatMap(([isThere, argument, what]) => (isThere ? [{ argument, what, todo: redeclare(queue) }] : []));
  const limit = deliveryLimitOf(facts);
  // The reader of dead letters replaces a message by a copy before it reaches the limit.
  if (type === "quorum" && !queue.endsWith(deadQueueOf("")) && !("x-dead-letter-exchange" in args) && limit !== -1) {
    const by = "x-delivery-limit" in args ? "" : ", by default from RabbitMQ 4 on";
    const what = `an event that was delivered more than ${limit} times without an acknowledgement is dropped${by}`;
    dangers.push({ argument: "x-delivery-limit", what, todo: `\`${deadLetterPolicy(queue)}\` keeps it as a dead letter.` });
  }
  return [...dangers, ...clusterDanger(queue, type, facts, isCluster)];
}

/** A classic queue is on one node. While that is down, RabbitMQ confirms events that another queue gets, and this one misses them. */
function clusterDanger(queue: string, type: unknown, { isDown, arguments: args }: QueueFacts, isCluster: boolean): QueueDanger[] {
  const argument = "x-queue-type";
  if (isDown) {
    const todo = `Start the node. Then \`bun run replay ${queue}\` sends the events again that came in the meantime.`;
    return [{ argument, what: "the node of this classic queue is down, so events that other queues get do not reach it", todo }];
  }
  // Mirrored queues exist up to RabbitMQ 3.
  if (!isCluster || type !== "classic" || queue.endsWith(deadQueueOf("")) || "x-ha-mode" in args) return [];
  const todo = `Set QUEUE_TYPE=quorum for the API and the consumers, then run \`bun run queues convert ${queue}\`.`;
  return [{ argument, what: "it is a classic queue, on one node of the cluster, and misses events while that node is down", todo }];
}

/** Returns the delivery limit of a quorum queue. -1 means none from RabbitMQ 4 on. */
export function deliveryLimitOf({ arguments: args }: QueueFacts): number {
  const limit = args["x-delivery-limit"];
  return typeof limit === "number" ? limit : defaultDeliveryLimit;
}

/** Returns why a queue could refuse events. Undefined if its arguments do not say so. */
export function refusalReason({ arguments: args }: QueueFacts): string | undefined {
  if (!refusesNew(args)) return undefined;
  const limits = ["x-max-length", "x-max-length-bytes"].filter((name) => name in args).map((name) => `${name} ${args[name]}`);
  return limits.length === 0 ? undefined : `${limits.join(", ")}, x-overflow ${args["x-overflow"]}`;
}

/** Returns whether a full queue refuses new events instead of dropping old ones. */
function refusesNew(args: QueueFacts["arguments"]): boolean {
  return typeof args["x-overflow"] === "string" && args["x-overflow"].startsWith("reject-publish");
}

function redeclare(queue: string): string {
  return `Stop its consumers, move the messages out of "${queue}", and delete it. Warren then declares it without this setting.`;
}

/** Returns the command for a policy that gives a quorum queue a dead-letter queue. */
function deadLetterPolicy(queue: string): string {
  const definition = { "dead-letter-exchange": "", "dead-letter-routing-key": deadQueueOf(queue) };
  const pattern = `^${queue.replaceAll(".", "\\.")}$`;
  return `rabbitmqctl set_policy --apply-to queues ${deadQueueOf(queue)} '${pattern}' '${JSON.stringify(definition)}'`;
}
