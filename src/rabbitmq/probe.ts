import type { ChannelModel } from "amqplib";
import type { RabbitmqConfig } from "../config/rabbitmq";
import { redactUrl } from "../config/redact-url";
import { atMost } from "../timing/pause";
import { loadAmqplib } from "./connection";
import { addressOf, explain } from "./nodes";
import { socketOptions } from "./socket-options";

/** A node of RabbitMQ that can be reached. */
export interface NodeFacts {
  /** Version of RabbitMQ, such as `4.1.2`. */
  readonly version: string;
  /** Platform of RabbitMQ, such as `Erlang/OTP 27`. */
  readonly platform: string;
  /** Why it accepts no messages now, such as `low on disk`. Undefined if it accepts them. */
  readonly blocked: string | undefined;
}

const closeTimeoutMs = 1000;

/** A node as a probe finds it: what it is, or the reason that it cannot be reached. */
export type ProbedNode = { readonly shown: string } & (NodeFacts | { readonly unreachable: string });

/** Checks whether RabbitMQ answers at its first address. Resolves with undefined if it does, else with the reason. */
export async function probe(config: RabbitmqConfig, timeoutMs: number): Promise<string | undefined> {
  const found = await using(config, config.urls[0], timeoutMs, async () => undefined);
  return found?.unreachable;
}

/** Connects to each node once, to all at the same time. */
export async function inspectNodes(config: RabbitmqConfig, timeoutMs: number): Promise<ProbedNode[]> {
  const inspect = async (model: ChannelModel): Promise<NodeFacts> => {
    const { version, platform } = model.connection.serverProperties as Partial<Record<string, unknown>>;
    return { version: String(version), platform: String(platform), blocked: await whyBlocked(model, timeoutMs) };
  };
  return Promise.all(config.urls.map(async (url) => ({ shown: redactUrl(url), ...(await using(config, url, timeoutMs, inspect)) })));
}

async function using<T>(
  config: RabbitmqConfig,
  url: string,
  timeoutMs: number,
  use: (model: ChannelModel) => Promise<T>,
): Promise<T | { readonly unreachable: string }> {
  let model: ChannelModel | undefined;
  try {
    const { connect } = await loadAmqplib();
    model = await connect(addressOf(url), { ...socketOptions(config), timeout: timeoutMs });
    model.on("error", () => {});
    return await use(model);
  } catch (error) {
    return { unreachable: explain(error) };
  } finally {
    // A blocked RabbitMQ does not answer.
    if (model) await atMost(closeTimeoutMs, model.close()).catch(() => {});
  }
}

/**
 * Returns why RabbitMQ accepts no messages. It says so only to a connection that publishes, so this publishes a message that no queue
 * gets.
 */
async function whyBlocked(model: ChannelModel, timeoutMs: number): Promise<string | undefined> {
  const channel = await model.createConfirmChannel();
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  model.on("blocked", resolve);
  channel.publish("", `warren.nowhere.${crypto.randomUUID()}`, Buffer.alloc(0), {}, () => resolve(undefined));
  const timer = setTimeout(() => resolve("it confirms no message"), timeoutMs);
  return promise.finally(() => clearTimeout(timer));
}
