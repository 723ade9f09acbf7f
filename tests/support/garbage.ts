import { item } from "../../src/domain/item";

/** Yields invalid messages by the reason for which they become dead letters: more than 60,000. */
export function* garbage(): Generator<{ reason: string; bodies: Buffer[] }> {
  const record = { id: 1, ...item.example, version: 1, createdAt: "2026-01-01T00:00:00.000Z", updatedAt: "2026-01-01T00:00:00.000Z" };
  const event = { id: Bun.randomUUIDv7(), type: "item.created", version: 1, item: record, timestamp: "2026-01-01T00:00:00.000Z" };
  const many = (count: number, make: (n: number) => string | Uint8Array) =>
    Array.from({ length: count }, (_, n) => Buffer.from(make(n) as string));
  const json = (value: unknown) => JSON.stringify(value);

  // No UTF-8 text begins with this byte.
  yield {
    reason: "not-json",
    bodies: many(15_000, (n) => Buffer.concat([Buffer.from([0xff]), crypto.getRandomValues(new Uint8Array(n % 300))])),
  };
  yield { reason: "not-json", bodies: many(10_000, (n) => json(event).slice(0, n % 100)) };
  yield { reason: "not-an-event", bodies: many(10_000, (n) => [`${n}`, "null", "[]", '"text"', "{}", '{"id":5}'][n % 6] as string) };
  yield { reason: "unknown-type", bodies: many(10_000, (n) => json({ ...event, type: `item.exploded${n}` })) };
  yield { reason: "unknown-version", bodies: many(5000, (n) => json({ ...event, version: n + 2 })) };
  yield {
    reason: "invalid",
    bodies: many(10_000, (n) => json({ ...event, item: [{ ...record, price: "9" }, null, [], { ...record, id: -1 }][n % 4] })),
  };
  // Nested too deeply to be parsed.
  yield { reason: "not-json", bodies: many(5, () => "[".repeat(200_000) + "]".repeat(200_000)) };
  yield { reason: "not-json", bodies: many(5, () => "[".repeat(200_000)) };
  for (let n = 0; n < 100; n += 1) yield { reason: "too-large", bodies: [Buffer.alloc(10 * 1024 * 1024, 32)] };
}
