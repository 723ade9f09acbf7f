import type { NodeUrls } from "../config/node-urls";
import type { QueueArguments, QueueFacts } from "./queue-facts";

const timeoutMs = 5000;

/** A binding of a queue to an exchange. */
export interface Binding {
  readonly exchange: string;
  readonly key: string;
  readonly args: QueueArguments;
}

interface ManagedQueue {
  readonly durable: boolean;
  readonly auto_delete: boolean;
  readonly type?: string;
  /** `down` if the node of a classic queue, or most nodes of a quorum queue are down. */
  readonly state?: string;
  readonly messages_unacknowledged?: number;
  readonly arguments: QueueArguments;
  /** Keys lack the `x-` prefix of arguments. Older versions return an empty list if there is no policy. */
  readonly effective_policy_definition?: QueueArguments | readonly never[];
}

/** RabbitMQ's management API. It shows what AMQP does not: policies, and the bindings of other programs. */
export class Management {
  /** Base URL of each node. One that did not respond goes to the end. */
  readonly #bases: URL[];
  readonly #vhost: string;

  /** @param vhost Virtual host of the queues. */
  constructor(urls: NodeUrls, vhost: string) {
    this.#bases = urls.map((url) => new URL(url.endsWith("/") ? url : `${url}/`));
    this.#vhost = encodeURIComponent(vhost);
  }

  /**
   * Resolves with how a queue was declared, including what policies add. Undefined if the queue does not exist.
   *
   * @throws {Error} if no node responds, or responds with an error.
   */
  async queueFacts(queue: string): Promise<QueueFacts | undefined> {
    const found = (await this.#get(`queues/${this.#vhost}/${encodeURIComponent(queue)}`)) as ManagedQueue | undefined;
    if (!found) return undefined;
    const { durable, auto_delete: autoDelete, type, state } = found;
    const policy = Array.isArray(found.effective_policy_definition) ? {} : (found.effective_policy_definition ?? {});
    return {
      durable,
      autoDelete,
      arguments: withPolicy({ ...(type && { "x-queue-type": type }), ...found.arguments }, policy as QueueArguments),
      ...(state === "down" && type !== "quorum" && { isDown: true }),
    };
  }

  /** Resolves with the number of messages that consumers hold, a few seconds ago; 0 if the queue does not exist. */
  async unsettled(queue: string): Promise<number> {
    const found = (await this.#get(`queues/${this.#vhost}/${encodeURIComponent(queue)}`)) as ManagedQueue | undefined;
    return found?.messages_unacknowledged ?? 0;
  }

  /** Resolves with the bindings of a queue to exchanges other than the default one. */
  async bindingsOf(queue: string): Promise<Binding[]> {
    const bindings = (await this.#get(`queues/${this.#vhost}/${encodeURIComponent(queue)}/bindings`)) ?? [];
    const found = bindings as { source: string; routing_key: string; arguments: QueueArguments }[];
    return found
      .filter(({ source }) => source !== "")
      .map(({ source, routing_key: key, arguments: args }) => ({ exchange: source, key, args }));
  }

  /** Resolves with the queues bound to an exchange. */
  async boundQueues(exchange: string): Promise<string[]> {
    const bindings = (await this.#get(`exchanges/${this.#vhost}/${encodeURIComponent(exchange)}/bindings/source`)) ?? [];
    const found = bindings as { destination: string; destination_type: string }[];
    return [...new Set(found.filter((binding) => binding.destination_type === "queue").map(({ destination }) => destination))];
  }

  /** Resolves with the response of the first node that has one. */
  async #get(path: string): Promise<unknown> {
    let failure: unknown;
    for (const base of [...this.#bases]) {
      try {
        return await this.#getFrom(base, path);
      } catch (error) {
        failure ??= error;
        this.#bases.push(...this.#bases.splice(this.#bases.indexOf(base), 1));
      }
    }
    throw failure;
  }

  async #getFrom(base: URL, path: string): Promise<unknown> {
    const url = new URL(`api/${path}`, base);
    const authorization = `Basic ${btoa(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`)}`;
    url.username = url.password = "";
    const answer = await fetch(url, { headers: { authorization }, signal: AbortSignal.timeout(timeoutMs) });
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`the management API at ${url.origin} responded with ${answer.status}`);
    return answer.json();
  }
}

/** Merges arguments and policy as RabbitMQ does: the lower of two limits applies; otherwise, the argument takes precedence. */
function withPolicy(args: QueueArguments, policy: QueueArguments): QueueArguments {
  const merged: Record<string, string | number | boolean> = { ...args };
  for (const [key, value] of Object.entries(policy)) {
    const own = args[`x-${key}`];
    merged[`x-${key}`] = own === undefined ? value : typeof own === "number" && typeof value === "number" ? Math.min(own, value) : own;
  }
  return merged;
}
