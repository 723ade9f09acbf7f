// A service that is moved from SQLite to PostgreSQL, as those see it who use it: each goes on where it was.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { command } from "../support/command";
import { openEvents } from "../support/event-source";
import { describeWithPostgres, usePostgres } from "../support/postgres";
import { eventually } from "../support/processes";
import { firstTimes } from "../support/queue-consumer";
import { describeWithRabbit, useRabbit } from "../support/rabbit";
import { requests } from "../support/requests";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

const { api, consumers, env, folder, runOn } = useSystem();
const { get, create, writeOn } = requests(() => api.url);

interface Events {
  readonly events: readonly { readonly position: number; readonly event: { readonly id: string } }[];
  readonly next: number;
  readonly more: boolean;
}

/** The ids of all events of the log, by its pages. */
async function logOf(): Promise<string[]> {
  const ids: string[] = [];
  for (let after = 0, more = true; more; ) {
    const page = await get<Events>(`/events?limit=200&after=${after}`);
    ids.push(...page.events.map(({ event }) => event.id));
    ({ next: after, more } = page);
  }
  return ids;
}

async function createOnce(name: string): Promise<[number, string]> {
  const headers = { "content-type": "application/json", "idempotency-key": `key-of-${name}` };
  const answer = await fetch(`${api.url}/items`, { method: "POST", body: JSON.stringify({ name }), headers });
  return [answer.status, await answer.text()];
}

describeWithPostgres("a move", () => {
  const postgres = usePostgres();

  describeWithRabbit("beside RabbitMQ", () => {
    const rabbit = useRabbit();
    runOn(() => rabbit().url);
    afterEach(() => postgres().drop());

    test("of an API that was killed: streams, consumers, lists and clients go on where they were", async () => {
      await api.start();
      // It knows nothing of the move.
      const consumer = await consumers.start({ queue: "collector", events: ["item.*"] });
      await create(30);
      const once = await createOnce("once");
      const stream = await openEvents(`${api.url}/events/stream?after=0`);
      const streamed = (await stream.take(20)).map(({ id, data }) => ({ position: id, id: (JSON.parse(data) as { id: string }).id }));
      const firstPage = await get<{ items: { id: number }[]; next: string }>("/items?limit=10&sort=-updatedAt");
      const writer = writeOn();
      await writer.until(200);
      await api.stop("SIGKILL");
      const written = await writer.stop();

      const moving = await command("migrate-to-postgres", ["--from", join(folder.path, "data/warren.db")], {
        DATABASE_URL: postgres().url,
      });
      expect(moving).toMatchObject({ code: 0 });
      Object.assign(env, { DATABASE_URL: postgres().url, DATA_DIR: join(folder.path, "data") });
      await api.start();

      expect(await createOnce("once")).toEqual(once);
      await create(30);
      const log = await logOf();
      // A request of which the answer was lost may have been committed.
      expect(log.length).toBeGreaterThanOrEqual(30 + 1 + written + 30);

      const rest = await openEvents(`${api.url}/events/stream`, { "last-event-id": streamed.at(-1)?.position ?? "" });
      const received = await rest.take(log.length - streamed.length);
      expect([...streamed.map(({ id }) => id), ...received.map(({ data }) => (JSON.parse(data) as { id: string }).id)]).toEqual(log);
      await rest.leave();

      const seen = await eventually(() => {
        const ids = firstTimes(consumer.seen());
        return ids.length === log.length ? ids : undefined;
      }, "the consumer to have every event");
      expect(seen).toEqual(log);

      const listed = [...firstPage.items];
      for (let next: string | null = firstPage.next; next !== null; ) {
        const page: { items: { id: number }[]; next: string | null } = await get(`/items?limit=100&sort=-updatedAt&after=${next}`);
        listed.push(...page.items);
        ({ next } = page);
      }
      // The list goes on to the oldest, without what came after its first page.
      expect(listed.map(({ id }) => id)).toEqual(Array.from({ length: 31 }, (_, n) => 31 - n));
    });
  });
});
