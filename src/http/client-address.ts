import type { Server } from "bun";

/** Loaded on first use, because it is needed only behind a proxy and would slow down every start. */
let isIP: typeof import("node:net").isIP | undefined;

/**
 * Returns the address of the client behind a number of trusted proxies. Each proxy appends the address that it sees to
 * `X-Forwarded-For`. Earlier entries come from the client and cannot be trusted. Without a valid header, it returns the
 * address of the peer.
 */
export function clientAddress(request: Request, peer: string, trustedProxies: number): string {
  if (trustedProxies === 0) return peer;
  const forwarded = request.headers.get("x-forwarded-for")?.split(",") ?? [];
  const seen = withoutPort(forwarded[Math.max(0, forwarded.length - trustedProxies)]?.trim() ?? "");
  isIP ??= (require("node:net") as typeof import("node:net")).isIP;
  return isIP(seen) ? seen : peer;
}

/** Returns a function that finds the client address of a request. It returns null if the request has no open connection. */
export function clientsBehind(trustedProxies: number) {
  return (request: Request, server: Pick<Server<unknown>, "requestIP"> | null): string | null => {
    const peer = server?.requestIP(request)?.address;
    return peer ? clientAddress(request, peer, trustedProxies) : null;
  };
}

/** Removes the port that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(address: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
}

/**
 * Returns the part of an address that identifies a client. For IPv4, also in the form `::ffff:192.0.2.1`, this is the whole
 * address. For IPv6 it is the first 64 bits, because a client usually controls the whole network. All closed connections
 * (null) count as one client.
 */
export function clientKey(address: string | null): string {
  if (address === null) return "unknown";
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped || !address.includes(":")) return mapped ?? address;
  const [left = "", right] = address.split("%", 1).join("").split("::");
  const [before, after] = [parts(left), parts(right)];
  const zeros = right === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...new Array<string>(Math.max(0, zeros)).fill("0"), ...after];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

function parts(groups = ""): string[] {
  return groups.split(":").filter(Boolean);
}
