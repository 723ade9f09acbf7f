/** Whether an address to listen on is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether a Host is a name that no page of another site can have: everybody's own machine, or an address. With or without a port. */
export function isLocalHost(host: string): boolean {
  return /^((.+\.)?localhost|\d+\.\d+\.\d+\.\d+|\[[\da-f:.]+\])(:\d*)?$/i.test(host);
}
