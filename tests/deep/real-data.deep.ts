// Real records through the whole way: the names of all countries in languages of many scripts
// are created, changed and deleted over HTTP, and two consumers with different filters get exactly their events.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { countries } from "../support/countries";
import { endAll, environment, send, startApi, startLogger } from "../support/processes";
import { describeWithRabbit, messagesIn, useRabbit } from "../support/rabbit";
import { useFolder } from "../support/use-folder";

// Thousands of requests on a busy machine.
setDefaultTimeout(180_000);

interface Fields {
  name: string;
  description: string | null;
  price: number | null;
}
interface Item extends Fields {
  id: number;
  version: number;
}
/** Content of an event, as far as it is known beforehand. */
type Told = [type: string, version: number, name: string, description: string | null, price: number | null];

const longest = 2000;
const clients = 16;

/** Names of a country and of its neighbours in the list, as a long text of many characters. */
function about(country: number): string {
  const neighbours = Array.from({ length: 6 }, (_, index) => countries[(country + index) % countries.length]);
  return `${countries[country]?.flag} ${JSON.stringify(neighbours)}`.slice(0, longest).replace(/[\ud800-\udbff]$/, "");
}

/** One item per name of each country. */
const records: Fields[] = countries.flatMap(({ names }, country) =>
  names.map((name, index) => ({ name, description: about(country), price: index % 10 === 0 ? null : (country + 1) / index })),
);

const folder = useFolder();

test("the records are what this test is for", () => {
  expect(records.length).toBeGreaterThan(3000);
  expect(Math.max(...records.map(({ description }) => description?.length ?? 0))).toBe(longest);
  const all = records.map(({ name, description }) => name + description).join("");
  for (const script of ["Adlam", "Arabic", "Cyrillic", "Ethiopic", "Han", "Hangul", "Katakana", "Khmer", "Tamil", "Tibetan"]) {
    expect([script, new RegExp(`\\p{Script=${script}}`, "u").test(all)]).toEqual([script, true]);
  }
  expect(all).toMatch(/[\p{Cf}\p{M}]/u);
  expect(all).toMatch(/[\u{10000}-\u{10ffff}]/u);
});

test("without a broker", async () => {
  await drive("embedded", environment(folder.path));
});

describeWithRabbit("with RabbitMQ", () => {
  const rabbit = useRabbit();
  afterEach(endAll);

  test("on a broker", async () => {
    await drive("rabbitmq", environment(folder.path, rabbit().url));
    expect(await messagesIn(rabbit())).toMatchObject({ "came-and-went": 0 });
  });
});

/** Creates every record, changes most and deletes some; checks what each of two consumers was told. */
async function drive(mode: string, env: Record<string, string>): Promise<void> {
  const api = await startApi({ env });
  const consumers = [
    { types: ["item.created", "item.deleted"], args: ["--events", "item.created,item.deleted", "--queue", "came-and-went"] },
    { types: ["item.updated"], args: ["--events", "*.updated"] },
  ].map(({ types, args }) => ({ types, logger: startLogger(["--json", ...args], { env }) }));
  for (const { logger } of consumers) await logger;

  const started = performance.now();
  const told = new Map<number, Told[]>();
  const kept = new Map<number, Fields>();
  let next = 0;
  async function client(): Promise<void> {
    for (let index = next++; index < records.length; index = next++) await live(`${api.url}/items`, index, told, kept);
  }
  await Promise.all(Array.from({ length: clients }, client));
  const answeredMs = performance.now() - started;

  const expected = [...told.values()].flat();
  const received: string[] = [];
  for (const { types, logger } of consumers) {
    const mine = (events: Told[]) => events.filter(([type]) => types.includes(type));
    const count = mine(expected).length;
    const { stop, lines, stdout } = await logger;
    await lines(/^\{/, count, 120_000);
    const ms = performance.now() - started;
    // Whatever came too much would be printed by now: a stop finishes what is in hand.
    expect(await stop()).toBe(0);
    const events = stdout.map((line) => JSON.parse(line) as { id: string; type: string; item: Item });
    expect([events.length, new Set(events.map(({ id }) => id)).size]).toEqual([count, count]);
    const byItem = Map.groupBy(events, ({ item }) => item.id);
    for (const [id, events] of told) {
      const got = byItem.get(id)?.map(({ type, item }): Told => [type, item.version, item.name, item.description, item.price]);
      expect(got ?? []).toEqual(mine(events));
    }
    received.push(`${types.join(" and ")}: expected ${count}, received ${events.length}, the last after ${Math.round(ms)} ms`);
  }
  expect(await stored(`${api.url}/items`)).toEqual(kept);
  console.log(
    `${mode}: ${records.length} records, ${expected.length} events; ${received.join("; ")}; HTTP alone took ${Math.round(answeredMs)} ms`,
  );
}

/** The life of one item: each is created, two in three are replaced, half are patched, every fifth is deleted. */
async function live(url: string, index: number, told: Map<number, Told[]>, kept: Map<number, Fields>): Promise<void> {
  const record = records[index] as Fields;
  const events: Told[] = [];
  const tell = (change: string, item: Item) => events.push([`item.${change}`, item.version, item.name, item.description, item.price]);
  async function change(method: string, path: string, body: object, status: number, becomes: Fields, version: number): Promise<Item> {
    const answer = await send(method, `${url}${path}`, body);
    const item = (await answer.json()) as Item;
    expect([answer.status, item]).toEqual([status, { ...item, ...becomes, version }]);
    return item;
  }

  let now = record;
  const created = await change("POST", "", record, 201, now, 1);
  tell("created", created);
  let version = 1;
  if (index % 3 !== 0) {
    now = {
      name: `${record.name} ${index}`,
      description: [...(record.description ?? "")].reverse().join("").slice(0, longest),
      price: null,
    };
    tell("updated", await change("PUT", `/${created.id}`, now, 200, now, ++version));
  }
  if (index % 2 === 0) {
    now = { ...now, price: index / 7, description: null };
    tell("updated", await change("PATCH", `/${created.id}`, { price: index / 7, description: null }, 200, now, ++version));
  }
  if (index % 5 === 0) {
    expect((await send("DELETE", `${url}/${created.id}`)).status).toBe(204);
    tell("deleted", { ...created, ...now, version });
  } else kept.set(created.id, now);
  told.set(created.id, events);
}

/** Everything that is in the table. */
async function stored(url: string): Promise<Map<number, Fields>> {
  const all = new Map<number, Fields>();
  for (let after: string | number | null = 0; after !== null; ) {
    const page = (await (await send("GET", `${url}?limit=200&after=${after}`)).json()) as { items: Item[]; next: string | null };
    for (const { id, name, description, price } of page.items) all.set(id, { name, description, price });
    after = page.next;
  }
  return all;
}
