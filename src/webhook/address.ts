import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/**
 * Networks that are not on the internet, per IANA's registries of special-purpose addresses. For IPv6, these include all but
 * 2000::/3, and so loopback, link-local, unique local, multicast, NAT64 and IPv4-mapped addresses. Each family has its own
 * list because BlockList treats an IPv4 address as an IPv4-mapped one.
 */
const special = {
  ipv4: networks([
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"],
    ...["192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ]),
  ipv6: networks(["::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]),
};

/**
 * Returns a set of networks such as `10.0.0.0/8`, `fd00::/8` or `192.0.2.7`.
 *
 * @throws {Error} if a text is not a network.
 */
export function networks(list: readonly string[]): BlockList {
  const set = new BlockList();
  for (const text of list) {
    const [, address = "", length] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = isIP(address);
    const bits = family === 6 ? 128 : 32;
    const prefix = length === undefined ? bits : Number(length);
    if (family === 0 || prefix > bits) throw new Error(`"${text}" is not a network such as 10.0.0.0/8 or fd00::/8.`);
    set.addSubnet(address, prefix, familyName(family));
  }
  return set;
}

/** Returns whether connecting to an address is permitted: it must be on the internet or in an allowed network. */
export function isPermitted(address: string, allowed: BlockList): boolean {
  const family = isIP(address);
  // Refuse a zone (fe80::1%eth0): only link-local addresses have one, and BlockList might misread it.
  if (family === 0 || address.includes("%")) return false;
  const name = familyName(family);
  return allowed.check(address, name) || !special[name].check(address, name);
}

/** Resolves with the IP addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Uses the resolver of the system. IPv4 comes first, because many machines have an IPv6 address but no IPv6 route. */
const systemResolve: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
};

/**
 * Resolves with the permitted addresses of a host, at least one. The caller must connect to one of these and not resolve the
 * name again, because a second lookup can return other addresses.
 *
 * @throws {Error} if the host has no permitted address.
 */
export async function permittedAddresses(hostname: string, allowed: BlockList, resolve = systemResolve): Promise<string[]> {
  const found = isIP(hostname) ? [hostname] : await resolve(hostname);
  const permitted = found.filter((address) => isPermitted(address, allowed));
  if (permitted.length === 0) {
    throw new Error(
      found.length === 0
        ? `${hostname} has no address`
        : `${hostname} resolves to ${found.join(", ")}, which is not on the internet; to allow it, add its network to allowNetworks`,
    );
  }
  return permitted;
}

/** Returns the host of a URL in the form for lookups: an IPv6 address has no brackets. */
export function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

function familyName(family: number): "ipv4" | "ipv6" {
  return family === 6 ? "ipv6" : "ipv4";
}
