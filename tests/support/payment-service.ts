/** A payment service that fails at times: before it has done what it is asked for, and after. It does so once for each key. */
export function startPaymentService() {
  const charges = new Map<string, number>();
  const refunds = new Set<string>();
  let requests = 0;
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const { card, cents = 0, charge = "" } = (await request.json()) as { card?: string; cents?: number; charge?: string };
      const key = request.headers.get("idempotency-key") ?? "";
      requests += 1;
      if (requests % 4 === 1) return new Response(null, { status: 503 });
      if (card === "declined") return new Response(null, { status: 402 });
      if (new URL(request.url).pathname === "/charges") charges.set(key, cents);
      else refunds.add(charge);
      return new Response(null, { status: requests % 4 === 3 ? 500 : 204 });
    },
  });
  return {
    url: server.url.origin,
    /** Keys of the charges, with their amounts in cents. */
    charges: charges as ReadonlyMap<string, number>,
    /** Keys of the charges whose money was given back. */
    refunds: refunds as ReadonlySet<string>,
    stop: () => server.stop(true),
  };
}
