import { type NodeUrls, parseNodeUrls, pathOf, shownNodes } from "./node-urls";
import { readPemFiles } from "./pem-files";
import type { ReadText, ReadVariable } from "./variable";

export interface RabbitmqConfig {
  /** URLs of the nodes, with user and password. Several nodes form one cluster. */
  readonly urls: NodeUrls;
  /** User name in the URLs. */
  readonly user: string;
  /** Virtual host in the URLs. */
  readonly vhost: string;
  /** The URLs as messages show them, without user and password. */
  readonly shown: string;
  /** True if RABBITMQ_URL is set. If not, and no RabbitMQ runs at the default address, the embedded transport is used. */
  readonly explicit: boolean;
  /** Type of the queues that are declared for events and dead letters. */
  readonly queueType: "classic" | "quorum";
  /** Base URLs of RabbitMQ's management API, with user and password. Null if it is not used. */
  readonly managementUrls: NodeUrls | null;
  /** PEM file with the certificate of the authority that signs the broker's certificate. Null if not set. */
  readonly caFile: string | null;
  /** PEM file with the client certificate. Null if not set. */
  readonly certFile: string | null;
  /** PEM file with the private key of the client certificate. Null if not set. */
  readonly keyFile: string | null;
}

const amqpPorts = { amqp: "5672", amqps: "5671" };
const httpPorts = { http: "80", https: "443" };

const defaultUrls: NodeUrls = ["amqp://guest:guest@localhost:5672"];

/**
 * Reads the environment variables about RabbitMQ. Returns null if RABBITMQ_URL is `none`, or is not set and the database carries events.
 *
 * @param carriesEvents whether the database carries events to consumers on all machines.
 */
export function readRabbitmq(read: ReadText, variable: ReadVariable, mistakes: string[], carriesEvents: boolean): RabbitmqConfig | null {
  /** Reads a list of nodes. Its mistakes are listed without the value, which has a password. */
  const nodes = <T>(name: string, fallback: T, parse: (text: string) => NodeUrls | string | undefined, expected: string): NodeUrls | T => {
    const found = variable<NodeUrls | string | T>(name, fallback, parse, expected);
    if (typeof found !== "string") return found;
    mistakes.push(`${name}: ${found}.`);
    return fallback;
  };
  const urls = nodes(
    "RABBITMQ_URL",
    defaultUrls,
    (text) => (text === "none" ? defaultUrls : parseNodeUrls(text, amqpPorts)),
    "use amqp://user:password@host:5672 or amqps://…, with special characters in the password percent-encoded and the hosts of a cluster separated by commas, or `none` for the embedded transport",
  );
  const managementUrls = nodes(
    "RABBITMQ_MANAGEMENT_URL",
    null,
    (text) => parseNodeUrls(text, httpPorts),
    "use http://user:password@host:15672 or https://…, the address of RabbitMQ's management plugin, with the hosts of a cluster separated by commas",
  );
  const queueType = variable(
    "QUEUE_TYPE",
    "classic" as const,
    (text) => (text === "classic" || text === "quorum" ? text : undefined),
    "use classic, or quorum on a RabbitMQ cluster",
  );
  const files = readPemFiles(read, variable, mistakes);
  if ((files.caFile ?? files.certFile ?? files.keyFile) && /^amqp:/i.test(urls[0]) && read("RABBITMQ_URL") !== "none") {
    mistakes.push("RABBITMQ_CA_FILE, RABBITMQ_CERT_FILE and RABBITMQ_KEY_FILE require TLS. Use amqps:// in RABBITMQ_URL, or unset them.");
  }
  const explicit = read("RABBITMQ_URL") !== undefined;
  if (read("RABBITMQ_URL") === "none" || (!explicit && carriesEvents)) return null;
  const user = decodeURIComponent(new URL(urls[0]).username) || "guest";
  return { urls, user, vhost: pathOf(urls[0]), shown: shownNodes(urls), explicit, queueType, managementUrls, ...files };
}
