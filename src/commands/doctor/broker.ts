import type { Config } from "../../config/config";
import { redactUrl } from "../../config/redact-url";
import type { ChosenTransport } from "../../delivery/transport";
import { type BrokerFacts, inspectBroker } from "../../rabbitmq/probe";
import { type Finding, failure, ok } from "./finding";

const timeoutMs = 3000;
/** Oldest version of RabbitMQ with which Warren works. */
const oldest = "3.10.0";

/** Checks that RabbitMQ can be reached, is new enough and accepts messages. */
export async function checkBroker(config: Config, transport: ChosenTransport): Promise<Finding[]> {
  if (transport.name === "embedded" || !config.rabbitmq) return [ok("broker", `none: embedded, because ${transport.reason}`)];
  const url = redactUrl(config.rabbitmq.url);
  const facts = await inspectBroker(config.rabbitmq, timeoutMs);
  if ("unreachable" in facts)
    return [
      failure(
        "broker",
        `cannot reach RabbitMQ at ${url} (${facts.unreachable})`,
        "Start it, or correct RABBITMQ_URL. Events wait in the log until then.",
      ),
    ];
  return [brokerFinding(facts, url)];
}

export function brokerFinding({ version, platform, blocked }: BrokerFacts, url: string): Finding {
  const what = `RabbitMQ ${version} on ${platform} at ${url}`;
  if (blocked !== undefined)
    return failure("broker", `${what} accepts no messages: ${blocked}`, "Run this on its machine: rabbitmq-diagnostics alarms");
  if (Bun.semver.order(version, oldest) < 0) return failure("broker", what, `Warren needs RabbitMQ ${oldest} or newer.`);
  return ok("broker", `${what} accepts messages`);
}
