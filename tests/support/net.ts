/**
 * Returns a port that is free now. It is below the ports for outgoing connections (from 32768 on Linux, from 49152 elsewhere), since one of
 * these could take it before the program under test does.
 */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // Taken: try another one.
    }
  }
}
