/** Returns whether an address to listen on can be reached only from this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Returns whether a Host header, with or without a port, is `localhost`, a subdomain of it or an IP address. Pages of another site
 * cannot send such a Host by making their own domain name point to this machine.
 */
export function isLocalHost(host: string): boolean {
  return /^((.+\.)?localhost|\d+\.\d+\.\d+\.\d+|\[[\da-f:.]+\])(:\d*)?$/i.test(host);
}
