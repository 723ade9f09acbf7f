// A store with all that can be in one, which tests move to another engine.
import { Database } from "bun:sqlite";
import { expect } from "bun:test";
import { type MovedRow, type SmallKind, smallColumns } from "../../src/store/moving/moved-tables";
import { bulkTable, type SqlTable, smallTable } from "../../src/store/postgres/moving/sql-tables";
import { openMoveSource } from "../../src/store/sqlite/moving/move-source";
import type { Store } from "../../src/store/store";
import { asRelay } from "./leader";
import type { PostgresSchema } from "./postgres";
import { author, story } from "./stories";

export const resources = [author, story] as const;

/** Texts that are hard to keep: of several bytes a character, with control characters, quotation marks and backslashes. */
const texts = ["Ünïcödé 😀 \u{10ffff}", 'quote " and \\u0000 and \\', "\u0001\u001e\u001f\u007f\u2028", "", "{}, (NULL), \\N\n\t"];

/** Fills a store: with records that were changed, deleted, erased and pruned, with answers, and with what is kept of queues. */
export async function fillStore(store: Store, records = 40): Promise<void> {
  for (let n = 1; n <= records; n += 1) {
    const once = { key: `key ${n} ${texts[n % texts.length]}`, fingerprint: `print ${n}`, part: 0 };
    const request = { requestId: `request-${n}`, requestedAt: n, traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    const praise = { event: "praised", after: "3d", key: `praise:${n}`, data: { by: texts[n % texts.length] ?? "" } } as const;
    const caused = n % 4 === 0 ? { later: [praise], cause: { id: `cause \\ ${n}`, depth: 2 } } : {};
    const emit = n % 5 === 0 ? { praised: { by: texts[n % texts.length] ?? "" } } : {};
    await store.insert(
      author,
      { name: `Author ${n}`, ...(n % 2 && { born: 1900 + n }) },
      { ...(n % 3 === 0 && { once }), ...request, ...caused, emit },
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
  await store.schedules.announce({ queue: "audit", pattern: "0 9 * * 1", timeZone: "Europe/London", missed: "skip", overlap: true });
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

/** Compares all that has moved with a file, without the checksums of the move. Draws the next position. */
export async function expectMoved(file: string, schema: PostgresSchema): Promise<void> {
  const source = openMoveSource(file, resources, { locked: false });
  for (const { table } of source.tables) {
    const to = bulkTable(table);
    let after = -1;
    for (const part of source.parts(table, -1)) {
      const last = part.at(-1)?.[to.key.from] as number;
      const rows = table.kind === "events" ? part.map(escaped) : part;
      expect(await rowsIn(schema, to, `${to.key.name} > ${after} AND ${to.key.name} <= ${last}`)).toEqual([...rows]);
      after = last;
    }
    expect(after).toBeGreaterThan(0);
    expect(await rowsIn(schema, to, `${to.key.name} > ${after}`)).toEqual([]);
  }
  for (const kind of Object.keys(smallColumns) as SmallKind[]) {
    expect(await rowsIn(schema, smallTable(kind), "true")).toEqual([...source.small(kind)]);
  }
  const { logId, end, pruned, relayed } = source.state;
  expect(await schema.evaluate("SELECT log_id, pruned_to::int, position::int FROM meta, relay")).toEqual([
    { log_id: logId, pruned_to: pruned, position: relayed },
  ]);
  expect(await schema.evaluate("SELECT nextval('warren_events_position')::int AS position")).toEqual([{ position: end + 1 }]);
  source.close();
}

const escaped = (row: MovedRow) => {
  const plain = (column: string) => (row[column] as string | null)?.replace("\\", "\\\\") ?? null;
  return { ...row, owner: plain("owner"), cause: plain("cause") };
};

/** The rows of a table, under the names of the source. */
function rowsIn(schema: PostgresSchema, { name, columns }: SqlTable, where: string): Promise<unknown[]> {
  const named = columns.map((column) => `${column.name}${/int/.test(column.type) ? "::float8" : "::text"} AS "${column.from}"`);
  const order = columns.slice(0, 2).map((column) => `${column.name}${column.type === "text" ? ' COLLATE "C"' : ""}`);
  return schema.evaluate(`SELECT ${named.join(", ")} FROM ${name} WHERE ${where} ORDER BY ${order.join(", ")}`);
}

/** Adds many authors and stories to a file that no process has open, each with its event and its answer. */
export function addMany(file: string, count: number): void {
  const db = new Database(file, { strict: true });
  db.run("PRAGMA synchronous = OFF");
  const time = "2026-02-18T18:23:45.123Z";
  const addRecord = (plural: string) => db.prepare(`INSERT INTO "${plural}" (version, json) VALUES (1, ?) RETURNING id`);
  const records = { author: addRecord("authors"), story: addRecord("stories") };
  const addEvent = db.prepare("INSERT INTO events (id, type, subject, timestamp, body) VALUES (?, ?, ?, ?, ?)");
  const addAnswer = db.prepare("INSERT INTO idempotency_keys (key, part, fingerprint, answer, at) VALUES (?, 0, '', ?, ?)");
  db.transaction(() => {
    for (let n = 1; n <= count; n += 1) {
      for (const name of ["author", "story"] as const) {
        const fields =
          name === "author"
            ? { name: `Many ${n}` }
            : { title: `Many ${n}`, author: null, text: "é".repeat(n % 200), writer: "w", house: "h" };
        const json = JSON.stringify({ ...fields, version: 1, createdAt: time, updatedAt: time });
        const { id: subject } = records[name].get(json) as { id: number };
        const id = Bun.randomUUIDv7();
        addEvent.run(
          id,
          `${name}.created`,
          subject,
          time,
          JSON.stringify({ id, type: `${name}.created`, version: 1, [name]: fields, timestamp: time }),
        );
      }
      addAnswer.run(`many ${n}`, `answer ${n}`, n);
    }
  })();
  db.close();
}
