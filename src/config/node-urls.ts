/** URLs of the nodes in a list, each complete. */
export type NodeUrls = readonly [string, ...string[]];

/** Schemes that a node may have, and the port that each implies. */
type SchemePorts = Readonly<Record<string, string>>;

interface Node {
  readonly url: string;
  /** Host and port, to compare nodes. */
  readonly place: string;
  /** Properties that all nodes must share, each under the name that messages use. */
  readonly common: Readonly<Record<string, string>>;
}

/**
 * Parses the URL of one node, or a list of nodes: `amqp://user:password@a:5672,b:5672/vhost`, or complete URLs separated by commas. Returns
 * undefined if the text is neither. Returns a mistake as a text that counts the nodes instead of quoting them, since a malformed list could
 * have a password anywhere.
 */
export function parseNodeUrls(text: string, ports: SchemePorts): NodeUrls | string | undefined {
  const texts = text.split(new RegExp(`,\\s*(?=(?:${Object.keys(ports).join("|")})://)`, "i")).flatMap(withEachHost);
  const nodes: Node[] = [];
  for (const [index, each] of texts.entries()) {
    const node = nodeIn(each, ports);
    if (node === undefined) return texts.length === 1 ? undefined : `node ${index + 1} of ${texts.length} is not a host with a port`;
    if (typeof node === "string") return node;
    nodes.push(node);
  }
  const [first, ...others] = nodes as [Node, ...Node[]];
  return differenceIn(first, others) ?? [first.url, ...others.map(({ url }) => url)];
}

/**
 * Returns a list without users, passwords and queries, for messages, such as `amqp://***@a:5672,b:5672/vhost`. `***` stands for a user or a
 * query.
 */
export function shownNodes(urls: NodeUrls): string {
  const { protocol, username, password, pathname, search } = new URL(urls[0]);
  const hosts = urls.map((url) => new URL(url).host);
  return `${protocol}//${username || password ? "***@" : ""}${hosts.join(",")}${pathname}${search && "?***"}`;
}

/** Returns the path of a URL, decoded. No path and `/` are both `/`, the default virtual host of RabbitMQ. */
export function pathOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || "/";
}

/** Returns one URL for each host of a URL that may name several. A comma in the password separates nothing. */
function withEachHost(text: string): string[] {
  const [, before, hosts, after] = /^([a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/is.exec(text.trim()) ?? [];
  return hosts === undefined ? [text] : hosts.split(",").map((host) => `${before}${host.trim()}${after}`);
}

function nodeIn(text: string, ports: SchemePorts): Node | string | undefined {
  const url = URL.parse(text);
  const scheme = url?.protocol.slice(0, -1) ?? "";
  const authority = /^[^:]+:\/\/([^/?#]*)/.exec(text)?.[1] ?? "";
  if (!url?.hostname || !Object.hasOwn(ports, scheme) || url.port === "0" || authority.endsWith(":")) return undefined;
  if (/@.*,.*@/s.test(authority)) return "after a comma comes a host, or a complete URL; write an @ in the password as %40";
  try {
    const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    if (url.pathname.includes(","))
      return "a comma after the first slash separates no nodes; write it as %2C, or name all hosts before the slash";
    const common = { scheme, "user or password": `${username}:${password}`, path: pathOf(text), query: url.search };
    return { url: text, place: `${url.hostname.toLowerCase()}:${url.port || ports[scheme]}`, common };
  } catch {
    // A percent sign that encodes nothing.
    return undefined;
  }
}

function differenceIn(first: Node, others: readonly Node[]): string | undefined {
  const places = new Set([first.place]);
  for (const [index, { place, common }] of others.entries()) {
    const difference = Object.keys(common).find((name) => common[name] !== first.common[name]);
    if (difference !== undefined) return `node ${index + 2} has another ${difference} than node 1; the nodes of a cluster have the same`;
    if (places.has(place)) return `node ${index + 2} is already in the list`;
    places.add(place);
  }
  return undefined;
}
