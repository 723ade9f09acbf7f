/** A payment service to test the shop with. It charges and refunds once for each key, and declines the card `declined`. */
export function startPaymentService(port = 0) {
  const done = new Map<string, string>();
  const trouble = { isDown: false };
  const server = Bun.serve({
    port,
    async fetch(request) {
      const { card } = (await request.json()) as { card?: string };
      if (trouble.isDown) return new Response(null, { status: 503 });
      if (card === "declined") return new Response(null, { status: 402 });
      done.set(request.headers.get("idempotency-key") ?? "", new URL(request.url).pathname);
      return new Response(null, { status: 204 });
    },
  });
  process.env["PAYMENT_URL"] = server.url.origin;
  const count = (path: string) => [...done.values()].filter((each) => each === path).length;
  return { trouble, charges: () => count("/charges"), refunds: () => count("/refunds"), stop: () => server.stop(true) };
}

if (import.meta.main) startPaymentService(Number(process.env["PORT"] ?? 4000));
