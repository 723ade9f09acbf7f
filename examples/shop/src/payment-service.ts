/** A payment as the service that makes it knows it. It does once what is asked with the same key. */
interface Payment {
  readonly key: string;
  readonly card: string;
  readonly cents: number;
}

/** Charges a card. Resolves with false if it is declined. */
export async function charge({ key, card, cents }: Payment): Promise<boolean> {
  return (await ask("/charges", key, { card, cents })) !== 402;
}

/** Gives the money of a charge back. */
export async function refund({ key }: Payment): Promise<void> {
  await ask("/refunds", `refund-${key}`, { charge: key });
}

async function ask(path: string, key: string, body: object): Promise<number> {
  const url = process.env["PAYMENT_URL"] ?? "http://localhost:4000";
  const { ok, status } = await fetch(url + path, { method: "POST", headers: { "idempotency-key": key }, body: JSON.stringify(body) });
  if (ok || status === 402) return status;
  throw new Error(`The payment service responded with ${status}.`);
}
