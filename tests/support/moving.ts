// A store with all that can be in one, which tests move to another engine.
import type { MoveSource } from "../../src/store/moving/move-source";
import type { BulkTable, MovedRow } from "../../src/store/moving/moved-tables";
import type { Store } from "../../src/store/store";
import { asRelay } from "./leader";
import { author, story } from "./stories";

export const resources = [author, story] as const;

/** Texts that are hard to keep: of several bytes a character, with control characters, quotation marks and backslashes. */
const texts = ["Ünïcödé 😀 \u{10ffff}", 'quote " and \\u0000 and \\', "\u0001\u001e\u001f\u007f\u2028", "", "{}, (NULL), \\N\n\t"];

/** Fills a store: with records that were changed, deleted, erased and pruned, with answers, and with what is kept of queues. */
export async function fillStore(store: Store, records = 40): Promise<void> {
  for (let n = 1; n <= records; n += 1) {
    const once = { key: `key ${n} ${texts[n % texts.length]}`, fingerprint: `print ${n}`, part: 0 };
    const request = { requestId: `request-${n}`, requestedAt: n, traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    const emit = n % 5 === 0 ? { praised: { by: texts[n % texts.length] ?? "" } } : {};
    await store.insert(
      author,
      { name: `Author ${n}`, ...(n % 2 && { born: 1900 + n }) },
      { ...(n % 3 === 0 && { once }), ...request, emit },
    );
    await store.insert(story, {
      title: `${texts[n % texts.length]} ${n}`,
      author: n,
      text: texts[(n + 1) % texts.length] ?? "",
      house: `h${n % 2}`,
      writer: `w \\ ${n}`,
    });
  }
  await store.update(author, 2, (current) => ({ ...current, born: 2000 }));
  await store.remove(author, 3);
  await store.remove(story, records);
  await store.remove(author, records);
  await store.erase(author, 4);
  await asRelay(store, async (leadership) => {
    for (const position of [3, 9, records]) await store.relayed.save(position, leadership);
    await store.relayTrouble.save({ queue: "a", what: "full", since: "2026-02-18T18:00:00.000Z" }, leadership);
  });
  expectPruned(await store.prune("9999", 7));
  await store.subscriptions.save({ queue: "audit", types: ["author.created"], announcedAt: 5, signedAt: null });
  await store.subscriptions.save({ queue: "B_removed", types: [], announcedAt: 6, signedAt: 7 });
  await store.retryQueues.save({ queue: "audit", delayMs: 1000, expiresAt: 9_999_999_999_999 });
  await store.refusals.save({ queue: "x", problem: "unsigned", count: 2, lastAt: 8 });
  const last = await store.log.end();
  await store.replays.add({
    id: Bun.randomUUIDv7(),
    queue: "audit",
    fill: 1,
    selection: "{}",
    first: 8,
    last,
    createdAt: "2026-02-18T18:00:00.000Z",
  });
}

function expectPruned(events: number): void {
  if (events !== 7) throw new Error(`Pruned ${events} events in place of 7.`);
}

/** Returns all rows of a source's tables. */
export function rowsOf(source: MoveSource): [BulkTable, MovedRow[]][] {
  return source.tables.map(({ table }) => [table, [...source.parts(table, -1)].flat()]);
}
