/** A load balancer without session affinity: each request goes to the next process, and to another one if that is away. */
export interface Balancer {
  readonly url: string;
  /** Number of requests that each process has answered, in the order of their URLs. */
  readonly answered: readonly number[];
  stop(): Promise<void>;
}

/** @param header further headers of each request, as a proxy that signs users in adds them. */
export function startBalancer(urls: readonly string[], header: () => Promise<Record<string, string>> = async () => ({})): Balancer {
  let turn = 0;
  const answered = urls.map(() => 0);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const body = request.body ? await request.arrayBuffer() : null;
      const headers = new Headers(request.headers);
      for (const [name, value] of Object.entries(await header())) headers.set(name, value);
      for (let tries = 0; tries < urls.length; tries += 1) {
        const process = turn % urls.length;
        turn += 1;
        const options = { method: request.method, headers, body, redirect: "manual", decompress: false, signal: request.signal } as const;
        const response = await fetch(`${urls[process]}${pathname}${search}`, options).catch(() => undefined);
        if (!response) continue;
        answered[process] = (answered[process] ?? 0) + 1;
        return new Response(response.body, { status: response.status, headers: response.headers });
      }
      return new Response(null, { status: 502 });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, answered, stop: () => server.stop(true) };
}
