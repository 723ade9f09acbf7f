import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/**
 * What is not to be reached over the internet, after IANA's registries of special-purpose addresses. Of IPv6 that is all
 * but 2000::/3, and so loopback, link-local, unique local, multicast, NAT64 and IPv4-mapped addresses. A list for each
 * family: BlockList takes an IPv4 address for a mapped one.
 */
const special = {
  ipv4: networks([
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"],
    ...["192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ]),
  ipv6: networks(["::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]),
};

/**
 * A set of networks such as `10.0.0.0/8`, `fd00::/8` or `192.0.2.7`.
 *
 * @throws {TypeError} for text that is none.
 */
export function networks(list: readonly string[]): BlockList {
  const set = new BlockList();
  for (const text of list) {
    const [, address = "", length] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = isIP(address);
    const bits = family === 6 ? 128 : 32;
    const prefix = length === undefined ? bits : Number(length);
    if (family === 0 || prefix > bits) throw new TypeError(`"${text}" is no network`);
    set.addSubnet(address, prefix, familyName(family));
  }
  return set;
}

/** Whether an address may be connected to: one of the internet, or one that is allowed. */
export function isPermitted(address: string, allowed: BlockList): boolean {
  const family = isIP(address);
  // A zone (fe80::1%eth0) only comes with link-local addresses, and BlockList would have to see through it.
  if (family === 0 || address.includes("%")) return false;
  const name = familyName(family);
  return allowed.check(address, name) || !special[name].check(address, name);
}

/** Finds the addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** IPv4 first: many hosts have an IPv6 address and no way to another one. */
const systemResolve: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
};

/**
 * The addresses of a host that may be connected to, at least one. A caller connects to one of these and does not ask for
 * the name again: the second answer could be another one.
 *
 * @throws {Error} when there is none.
 */
export async function permittedAddresses(hostname: string, allowed: BlockList, resolve = systemResolve): Promise<string[]> {
  const found = isIP(hostname) ? [hostname] : await resolve(hostname);
  const permitted = found.filter((address) => isPermitted(address, allowed));
  if (permitted.length === 0) {
    throw new Error(
      found.length === 0
        ? `${hostname} has no address`
        : `${hostname} is at ${found.join(", ")}, not on the internet; if that is meant, put its network into allowNetworks`,
    );
  }
  return permitted;
}

/** The host of a URL as it is looked up: an IPv6 address without its brackets. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

function familyName(family: number): "ipv4" | "ipv6" {
  return family === 6 ? "ipv6" : "ipv4";
}
