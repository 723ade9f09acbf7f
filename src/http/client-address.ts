import type { Server } from "bun";

/** Loaded with the first request that needs it: without a proxy none does, and it would be a part of everybody's start. */
let isIP: typeof import("node:net").isIP | undefined;

/**
 * The address of the client behind a number of trusted proxies, each of which has appended the address that it saw to
 * `X-Forwarded-For`. Whatever stands before those comes from the client, who can write what it likes. Without a header
 * that can be read: the peer's own address.
 */
export function clientAddress(request: Request, peer: string, trustedProxies: number): string {
  if (trustedProxies === 0) return peer;
  const forwarded = request.headers.get("x-forwarded-for")?.split(",") ?? [];
  const seen = withoutPort(forwarded[Math.max(0, forwarded.length - trustedProxies)]?.trim() ?? "");
  isIP ??= (require("node:net") as typeof import("node:net")).isIP;
  return isIP(seen) ? seen : peer;
}

/** How a route tells who sends a request: null where it has no connection, or not any more. */
export function clientsBehind(trustedProxies: number) {
  return (request: Request, server: Pick<Server<unknown>, "requestIP"> | null): string | null => {
    const peer = server?.requestIP(request)?.address;
    return peer ? clientAddress(request, peer, trustedProxies) : null;
  };
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(address: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
}

/**
 * What of an address tells clients apart: all of IPv4, also where it is written as IPv6 (`::ffff:192.0.2.1`), and the
 * first 64 bits of IPv6, since whoever has one such address has all that begin like it. Null, of a connection that is gone, is
 * one client.
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
