import { Database } from "bun:sqlite";
import { join } from "node:path";
import { listOf } from "../../src/crud/listing";
import { type Item, item } from "../../src/domain/item";
import { type Benchmark, type Context, type Sample, VoidRun } from "../benchmark";
import { cpuCounter } from "../cpu";
import { databaseIn } from "../seeded";
import { type Server, startWarren } from "../servers";
import { load } from "../wrk";

const many = 1_000_000;
const few = 1000;
/** Number of different pages requested in turn. */
const places = 4096;
const limit = 50;
const warmUpSeconds = 1;
const aim = { atMost: 1.2 };

interface List {
  readonly key: string;
  readonly label: string;
  readonly query: Readonly<Record<string, string>>;
  readonly sort: "id" | "createdAt" | "updatedAt";
  fits(record: Item): boolean;
}

const lists: readonly List[] = [
  { key: "id", label: "by id", query: {}, sort: "id", fits: () => true },
  { key: "created", label: "createdAt", query: { sort: "createdAt" }, sort: "createdAt", fits: () => true },
  { key: "updated", label: "-updatedAt", query: { sort: "-updatedAt" }, sort: "updatedAt", fits: () => true },
  { key: "name", label: "name=", query: { name: "Item 1" }, sort: "id", fits: ({ name }) => name.startsWith("Item 1") },
  {
    key: "price",
    label: "minPrice=",
    query: { minPrice: "100", maxPrice: "200" },
    sort: "id",
    fits: ({ price }) => price !== null && price >= 100 && price <= 200,
  },
];

export const list: Benchmark = {
  name: "list",
  title: `GET /items?limit=${limit} at any depth of ${many.toLocaleString("en-US")} items vs. the first page of ${few.toLocaleString("en-US")}`,
  needs: ["wrk"],
  columns: [
    { key: "cpuMicros", label: "CPU µs/page", digits: 0, aim },
    ...lists.map(({ key, label }) => ({ key, label: `${label} p50 ms`, digits: 2, aim })),
  ],
  warren: {
    name: "any depth",
    async run({ size = many, ...context }: Context) {
      // With half as many updates, the order by updatedAt differs from the order in the table.
      const folder = await context.seeded({ items: size, updates: size / 2 });
      return measured(folder, context, (list) => pathsAtAnyDepth(folder, list, size));
    },
  },
  baseline: {
    name: "first page",
    run: async (context: Context) =>
      measured(await context.seeded({ items: few, updates: few / 2 }), context, ({ query }) => [pathOf(query)]),
  },
};

async function measured(folder: string, { seconds, folder: own }: Pick<Context, "seconds" | "folder">, pathsOf: (list: List) => string[]) {
  const api = await startWarren(folder);
  const cpu = cpuCounter(api.pid);
  let pages = 0;
  const p50Ms: Record<string, number> = {};
  for (const list of lists) {
    const paths = pathsOf(list);
    await check(api, list, paths);
    const file = join(own, list.key);
    await Bun.write(file, `${paths.join("\n")}\n`);
    const warmUp = await load(api.url, warmUpSeconds, ["paths", file]);
    const loaded = await load(api.url, Math.max(1, Math.round(seconds / lists.length)), ["paths", file]);
    p50Ms[list.key] = loaded.p50Ms;
    pages += warmUp.answers + loaded.answers;
  }
  const sample: Sample = { ...p50Ms, cpuMicros: cpu(pages) };
  await api.stop();
  return sample;
}

const pathOf = (query: Readonly<Record<string, string>>) => `/items?${new URLSearchParams({ limit: String(limit), ...query })}`;

/** Returns paths of pages that begin at random records, with cursors made by Warren. */
function pathsAtAnyDepth(folder: string, { query, sort }: List, items: number): string[] {
  const db = new Database(databaseIn(folder), { readonly: true });
  const record = db.query<{ json: string }, [number]>(`SELECT json FROM "${item.plural}" WHERE id = ?`);
  const path = pathOf(query);
  const request = listOf(item).read(`http://localhost${path}`);
  const paths = Array.from({ length: places }, () => {
    const { json = "" } = record.get(1 + Math.floor(Math.random() * items)) ?? {};
    const { id, [sort]: key } = JSON.parse(json) as Item;
    const { next } = request.links({ next: { keys: sort === "id" ? [] : [key], id } }, "/items");
    return `${path}&after=${next}`;
  });
  db.close();
  return paths;
}

/**
 * Checks a sample of the pages.
 *
 * @throws {VoidRun} unless one of them is full, and each has only matching records in the right order.
 */
async function check({ url }: Server, { query, sort, fits }: List, paths: readonly string[]): Promise<void> {
  let longest = 0;
  for (const path of paths.slice(0, 20)) {
    const { items } = (await (await fetch(url + path)).json()) as { items: Item[] };
    const keys = items.map((record) => String(record[sort]).padStart(10, "0"));
    const sorted = query["sort"]?.startsWith("-") ? keys.toSorted().reverse() : keys.toSorted();
    const inOrder = Bun.deepEquals(keys, sorted);
    if (!inOrder || !items.every(fits)) throw new VoidRun(`${path} is not in order, or has items that do not match its filter`);
    longest = Math.max(longest, items.length);
  }
  if (longest !== limit) throw new VoidRun(`no page of ${JSON.stringify(query)} has ${limit} items`);
}
