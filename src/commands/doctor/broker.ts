import type { Config } from "../../config/config";
import type { ChosenTransport } from "../../delivery/transport";
import { inspectNodes, type NodeFacts, type ProbedNode } from "../../rabbitmq/probe";
import { type Finding, failure, ok, warning } from "./finding";

const timeoutMs = 3000;
/** Oldest version of RabbitMQ with which Warren works. */
const oldest = "3.10.0";

/** Checks that each node of RabbitMQ can be reached, is new enough and accepts messages. */
export async function checkBroker(config: Config, transport: ChosenTransport): Promise<Finding[]> {
  if (transport.name === "embedded" || !config.rabbitmq) return [ok("broker", `none: embedded, because ${transport.reason}`)];
  return brokerFindings(await inspectNodes(config.rabbitmq, timeoutMs));
}

/** One node that can be reached is enough; the others are warnings. */
export function brokerFindings(nodes: readonly ProbedNode[]): Finding[] {
  const isReached = nodes.some((node) => !("unreachable" in node));
  return nodes.map((node) => {
    if (!("unreachable" in node)) return nodeFinding(node, node.shown);
    const what = `cannot reach RabbitMQ at ${node.shown} (${node.unreachable})`;
    return isReached
      ? warning("broker", what, "Start it, or correct RABBITMQ_URL. Until then, Warren uses the other nodes.")
      : failure("broker", what, "Start it, or correct RABBITMQ_URL. Events wait in the log until then.");
  });
}

function nodeFinding({ version, platform, blocked }: NodeFacts, shown: string): Finding {
  const what = `RabbitMQ ${version} on ${platform} at ${shown}`;
  if (blocked !== undefined)
    return failure("broker", `${what} accepts no messages: ${blocked}`, "Run this on its machine: rabbitmq-diagnostics alarms");
  if (Bun.semver.order(version, oldest) < 0) return failure("broker", what, `Warren needs RabbitMQ ${oldest} or newer.`);
  return ok("broker", `${what} accepts messages`);
}
