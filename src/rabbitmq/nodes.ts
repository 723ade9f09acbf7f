import type { Options } from "amqplib";
import type { NodeUrls } from "../config/node-urls";
import { redactUrl } from "../config/redact-url";
import { messageOf } from "../observe/logging";
import { explainRefusal } from "./tls";

/**
 * Heartbeat interval. A dead peer is detected after two to three of them (10 to 15 s); RabbitMQ's default of 60 s could take three minutes.
 */
const heartbeatSeconds = 5;
/** Pauses in milliseconds after every node has failed: the first one, and the longest, each ± 30 %. */
const [firstPauseMs, longestPauseMs] = [200, 5_000 / 1.3];
/** Pause in milliseconds before the next node is tried, for nodes that accept a connection and close it at once. */
const nextNodePauseMs = 50;

interface Node {
  readonly url: string;
  /** True if a failure was reported since this node was last connected. */
  isReported: boolean;
  /** The refusal that was last reported since then. */
  refusal: string | undefined;
  /** Why it failed since any node was last connected. */
  error: string | undefined;
}

/** The nodes of a broker, in the order in which this process tries them. A node that fails goes to the end. */
export class Nodes {
  /** Address for the next attempt: amqplib reads the members of this object each time. The nodes differ in host and port only. */
  readonly address: Options.Connect;
  readonly #nodes: Node[];
  /** Number of failures since the last connection. */
  #failures = 0;

  /**
   * @param urls Tried in random order, so that the connections of several processes spread over the nodes, also after a node failed.
   * @param isReported True if a first failure is expected and needs no report.
   */
  constructor(urls: NodeUrls, isReported = false) {
    this.#nodes = shuffled(urls).map((url) => ({ url, isReported, refusal: undefined, error: undefined }));
    this.address = addressOf(this.#first.url);
  }

  get count(): number {
    return this.#nodes.length;
  }

  /** URL of the present or next connection, without user and password. */
  get shown(): string {
    return redactUrl(this.#first.url);
  }

  /** Host and port of the present or next connection. */
  get place(): string {
    return placeOf(this.#first.url);
  }

  /** Why no node can be reached. Undefined while one is connected, or has not been tried since. */
  get trouble(): string | undefined {
    if (this.#nodes.some(({ error }) => error === undefined)) return undefined;
    if (this.count === 1) return this.#first.error;
    return this.#nodes.map(({ url, error }) => `${placeOf(url)}: ${error}`).join("; ");
  }

  /** Pause before the next attempt, in milliseconds. */
  get pauseMs(): number {
    const rounds = this.#failures / this.count;
    const pauseMs = Number.isInteger(rounds) ? Math.min(longestPauseMs, firstPauseMs * 2 ** (rounds - 1)) : nextNodePauseMs;
    return pauseMs * (0.7 + Math.random() * 0.6);
  }

  get #first(): Node {
    return this.#nodes[0] as Node;
  }

  /** Notes that the present node is connected. */
  connected(): void {
    this.#failures = 0;
    this.#first.isReported = false;
    this.#first.refusal = undefined;
    for (const node of this.#nodes) node.error = undefined;
  }

  /** Moves on to the next node. Returns an explanation of the failure, and whether it needs no report. */
  failed(failure: unknown): { readonly error: string; readonly isKnown: boolean } {
    const node = this.#first;
    const error = explain(failure);
    const refusal = explainRefusal(failure);
    // Report each outage of a node once, and each refusal, which retrying cannot fix.
    const isKnown = refusal === undefined ? node.isReported : node.refusal === refusal;
    node.isReported = true;
    node.refusal = refusal ?? node.refusal;
    node.error = error;
    this.#failures += 1;
    this.#nodes.push(...this.#nodes.splice(0, 1));
    Object.assign(this.address, hostOf(this.#first.url));
    return { error, isKnown };
  }
}

/** Adds the likely cause to a refused virtual host: amqplib reports only which frame it expected. */
export function explain(error: unknown): string {
  const refusal = explainRefusal(error);
  if (refusal !== undefined) return refusal;
  const message = messageOf(error);
  if (!message.startsWith("Expected ConnectionOpenOk")) return message;
  return `the virtual host of the URL does not exist, or the user has no access to it (${message})`;
}

/** Returns the address in the form of an object: from a text, amqplib decodes characters beyond ASCII in user and password wrongly. */
export function addressOf(url: string): Options.Connect {
  const { protocol, username, password, pathname, searchParams } = new URL(url);
  const numbers = ["frameMax", "channelMax", "maxFrameSize"] as const;
  return {
    protocol: protocol.slice(0, -1),
    ...hostOf(url),
    ...((username || password) && { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
    vhost: pathname.slice(1),
    heartbeat: Number(searchParams.get("heartbeat") ?? heartbeatSeconds),
    ...(searchParams.has("locale") && { locale: searchParams.get("locale") as string }),
    ...Object.fromEntries(numbers.filter((name) => searchParams.has(name)).map((name) => [name, Number(searchParams.get(name))])),
  };
}

function hostOf(url: string): { hostname: string; port: number } {
  const { protocol, hostname, port } = new URL(url);
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (protocol === "amqps:" ? 5671 : 5672) };
}

function placeOf(url: string): string {
  return new URL(url).host;
}

function shuffled<T>(values: readonly T[]): T[] {
  const order = [...values];
  for (let rest = order.length; rest > 1; rest -= 1) order.push(...order.splice(Math.floor(Math.random() * rest), 1));
  return order;
}
