import type { ObservedQueue, ReportedConsumer, Topology } from "../answers";
import { toneOf } from "../queue-tone";
import { counted, number, rate } from "../words";

/** A thing that events come from or go to. */
export interface GraphNode {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly tone: "good" | "warn" | "bad" | "idle" | undefined;
  /** Parts of the place that it leads to. */
  readonly link: readonly string[] | undefined;
}

export interface GraphQueue extends GraphNode {
  /** Events that wait for it, in words. */
  readonly arriving: string;
  /** Text about the consumers, such as their rate. Empty if nothing is known. */
  readonly leaving: string;
  readonly consumers: readonly GraphNode[];
}

/** How events go: from resources over exchanges, or the event log, to queues and their consumers. */
export interface Graph {
  readonly resources: readonly GraphNode[];
  readonly exchanges: readonly GraphNode[];
  readonly queues: readonly GraphQueue[];
  /** The ways that events go: ids of the nodes that follow each other. */
  readonly ways: readonly (readonly string[])[];
}

/** The event log takes the place of exchanges without RabbitMQ. */
const log = "log";

/**
 * @param observed the queues as they are now. Null if they are not known.
 * @param reports of the running consumers, as far as they are known.
 */
export function graphOf(topology: Topology, observed: readonly ObservedQueue[] | null, reports: readonly ReportedConsumer[]): Graph {
  const isEmbedded = topology.transport === "embedded";
  const resources = topology.resources.map(({ name, types }): GraphNode => {
    const [first] = types;
    return {
      ...{ id: `resource ${name}`, name, tone: undefined },
      about: counted(types.length, "event type"),
      link: first === undefined ? undefined : ["contracts", first],
    };
  });
  const exchanges = isEmbedded
    ? [nodeOf(log, "Event log", "read by each consumer")]
    : topology.resources.map(({ exchange }) => nodeOf(`exchange ${exchange}`, exchange, "topic exchange"));
  const queues = topology.queues.map((queue) =>
    queueOf(
      queue,
      observed?.find((one) => one.queue === queue.queue),
      reports.filter((one) => one.queue === queue.queue),
    ),
  );
  const wayTo = (name: string, exchange: string) => [`resource ${name}`, isEmbedded ? log : `exchange ${exchange}`];
  const ways = topology.queues.flatMap(({ types }, index) => {
    const { id, consumers } = queues[index] as GraphQueue;
    const sources = topology.resources.filter((one) => one.types.some((type) => types?.includes(type)));
    const before = sources.length > 0 ? sources.map(({ name, exchange }) => wayTo(name, exchange)) : [[]];
    const after = consumers.length > 0 ? consumers.map((consumer) => [consumer.id]) : [[]];
    return before.flatMap((from) => after.map((to) => [...from, id, ...to]));
  });
  // A resource whose events nobody gets publishes them all the same.
  const all = topology.resources.map(({ name, exchange }) => wayTo(name, exchange));
  return { resources, exchanges, queues, ways: [...all, ...ways] };
}

/** Returns the ids of the nodes that have to do with one: those on the ways through it. */
export function nearTo({ ways }: Graph, id: string): Set<string> {
  return new Set(ways.filter((way) => way.includes(id)).flat());
}

function queueOf(
  { queue, kind, consumers: names }: Topology["queues"][number],
  observed: ObservedQueue | undefined,
  reports: readonly ReportedConsumer[],
): GraphQueue {
  const running = Math.max(observed?.consumers ?? 0, reports.length);
  const [dead, retries] = [observed?.deadLetters ?? 0, observed?.retries ?? 0];
  const troubles = [dead > 0 && counted(dead, "dead letter"), retries > 0 && `${number(retries)} to retry`].filter(Boolean);
  // A consumer of another project has the name of its queue here.
  const known = names.length > 0 || running === 0 ? names : [queue];
  const about = names.length > 1 ? "shares the queue" : running > 0 ? `${number(running)} running` : "not running";
  const handled = reports.reduce((sum, { handledPerSecond }) => sum + handledPerSecond, 0);
  return {
    ...nodeOf(`queue ${queue}`, queue, troubles.join(", ") || (kind === "shared" ? "shared queue" : "own queue")),
    tone: observed && toneOf(observed),
    link: ["consumers", queue],
    arriving: observed?.messages == null ? "" : `${number(observed.messages)} waiting`,
    leaving: known.length === 0 ? "" : reports.length > 0 ? `${rate(handled)}/s` : running === 0 ? "none running" : "",
    consumers: known.map((name) => ({ ...nodeOf(`consumer ${queue} ${name}`, name, about), tone: running > 0 ? "good" : "idle" })),
  };
}

function nodeOf(id: string, name: string, about: string): GraphNode {
  return { id, name, about, tone: undefined, link: undefined };
}
