// A service that does the same work as the API on the same stack, written as most would: plain Elysia, SQLite that flushes every
// commit, a transaction per request with the item and its event, and a relay that polls the events and waits for RabbitMQ's confirms.
// `RABBITMQ_URL=… DATABASE=peer.db bun bench/baselines/peer.ts`
import { Database } from "bun:sqlite";
import { connect } from "amqplib";
import { Elysia } from "elysia";
import type { Item } from "../../src/domain/item";
import { type Fields, fields, params } from "./item-body";

const [exchange, queue] = ["events", "item_events"];
const batch = 500;
const pollMs = 20;

const db = new Database(process.env["DATABASE"] ?? "peer.db", { create: true });
db.run("PRAGMA journal_mode = WAL");
db.run("PRAGMA synchronous = FULL");
// The tables of the event log have the names and columns of Warren's, so that the benchmark reads them in the same way.
db.run(`
  CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, description TEXT, price REAL,
    version INTEGER NOT NULL, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL
  ) STRICT;
  CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE TABLE relay (position INTEGER NOT NULL) STRICT;
  INSERT INTO relay VALUES (0);
`);

const insertItem = db.prepare<Item, [string, string | null, number | null, string, string]>(
  "INSERT INTO items (name, description, price, version, createdAt, updatedAt) VALUES (?, ?, ?, 1, ?, ?) RETURNING *",
);
const insertEvent = db.prepare<void, [string, string, string]>("INSERT INTO events (id, type, body) VALUES (?, ?, ?)");
const itemById = db.prepare<Item, [number]>("SELECT * FROM items WHERE id = ?");
const create = db.transaction(({ name, description = null, price = null }: Fields): Item => {
  const timestamp = new Date().toISOString();
  const item = insertItem.get(name, description, price, timestamp, timestamp);
  if (!item) throw new Error("SQLite returned no item");
  const event = { id: Bun.randomUUIDv7(), type: "item.created", timestamp, item };
  insertEvent.run(event.id, event.type, JSON.stringify(event));
  return item;
});

const connection = await connect(process.env["RABBITMQ_URL"] ?? "amqp://guest:guest@localhost:5672");
const channel = await connection.createConfirmChannel();
await channel.assertExchange(exchange, "topic", { durable: true });
await channel.assertQueue(queue, { durable: true });
await channel.bindQueue(queue, exchange, "item.*");

const app = new Elysia({ normalize: false })
  .post(
    "/items",
    ({ body, set }) => {
      const item = create.immediate(body);
      set.status = 201;
      set.headers["location"] = `/items/${item.id}`;
      return item;
    },
    { body: fields },
  )
  .get("/items/:id", ({ params: { id }, status }) => itemById.get(Number(id)) ?? status(404), { params })
  .listen({ port: 0, hostname: "127.0.0.1" });

let isStopping = false;
process.once("SIGTERM", async () => {
  await app.stop();
  isStopping = true;
});
console.log(`peer listens on ${app.server?.url.origin}`);
await relay();
await connection.close();
process.exit(0);

/** Sends the events in order, a batch at a time, until the service stops and none is left. */
async function relay(): Promise<void> {
  const next = db.prepare<{ position: number; id: string; type: string; body: string }, [number]>(
    `SELECT position, id, type, body FROM events WHERE position > ? ORDER BY position LIMIT ${batch}`,
  );
  const save = db.prepare<void, [number]>("UPDATE relay SET position = ?");
  for (let position = 0; ; ) {
    const wasStopping = isStopping;
    const rows = next.all(position);
    for (const { id, type, body } of rows) {
      const properties = { persistent: true, contentType: "application/json", messageId: id, type };
      channel.publish(exchange, type, Buffer.from(body), properties);
    }
    await channel.waitForConfirms();
    const last = rows.at(-1);
    if (last) {
      position = last.position;
      save.run(position);
    } else if (wasStopping) return;
    else await Bun.sleep(pollMs);
  }
}
