const given = new Set<number>();

/**
 * Returns a port that is free now, and that was not given before. It is below the range for outgoing connections, which begins at 32768 on Linux and at 49152 elsewhere. A
 * port in that range could be taken before the program under test starts.
 */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (given.has(port)) continue;
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      given.add(port);
      return port;
    } catch {
      // Taken: try another one.
    }
  }
}
