// A second resource is two files and no edit: shown on a copy of the project.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { connect } from "amqplib";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, run, send, startApi, startLogger } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { describeWithRabbit, useRabbit } from "../support/rabbit";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const files = {
  "src/domain/order.ts": `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

const line = Type.Object(
  {
    item: Type.Integer({ minimum: 1 }),
    quantity: Type.Integer({ minimum: 1, maximum: 1000 }),
  },
  { additionalProperties: false },
);

export const order = defineResource({
  name: "order",
  fields: {
    customer: Type.String({ minLength: 1, maxLength: 200 }),
    lines: Type.Array(line, { minItems: 1, maxItems: 100 }),
    total: Type.Number({ minimum: 0 }),
  },
  example: { customer: "Ada", lines: [{ item: 1, quantity: 2 }], total: 19.98 },
});
`,
  "routes/orders.ts": `import { order } from "../src/domain/order";
import { crud } from "warren/crud";

export default crud(order);
`,
};

const client = `import { treaty } from "@elysiajs/eden";
import type { App } from "./src/routes.generated";

const api = treaty<App>(process.argv[2] as string);
const created = await api.orders.post({ customer: "Eve", lines: [{ item: 1, quantity: 1 }], total: 1 });
if (created.error) throw created.error;
const customer: string = created.data.customer;
const { data: page } = await api.orders.get({ query: { limit: 1 } });
const first: number | undefined = page?.orders[0]?.lines[0]?.quantity;
const { data: item } = await api.items({ id: "1" }).get();
const price: number | null | undefined = item?.price;
// @ts-expect-error a total is a number
const wrong = () => api.orders.post({ customer: "Eve", lines: [], total: "1" });
console.log(customer, first, price, typeof wrong);
`;

let copy: ReturnType<typeof temporaryFolder>;
beforeAll(async () => {
  copy = copyProject();
  for (const [name, text] of Object.entries(files)) await Bun.write(join(copy.path, name), text);
});
afterAll(() => copy.remove());

describe("a second resource", () => {
  test("takes at most two new files and 60 lines", () => {
    const lines = Object.values(files).map((text) => text.trimEnd().split("\n").length);
    expect(lines).toHaveLength(2);
    expect(lines.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(60);
  });

  test("has CRUD, events, a place in the docs and in every filter, beside items, without a broker", async () => {
    const data = temporaryFolder();
    const options = { cwd: copy.path, env: environment(data.path) };
    try {
      const api = await startApi(options);
      const own = await startLogger(["--queue", "order_events"], options);
      const both = await startLogger(["--events", "*.created,order.deleted"], options);
      const items = await startLogger([], options);
      expect((await send("POST", `${api.url}/orders`, { customer: "Ada", lines: [], total: 1 })).status).toBe(422);
      const created = await send("POST", `${api.url}/orders`, { customer: "Ada", lines: [{ item: 1, quantity: 2 }], total: 19.98 });
      expect([created.status, created.headers.get("location")]).toEqual([201, "/orders/1"]);
      const patched = await send("PATCH", `${api.url}/orders/1`, { total: 20 });
      expect(await patched.json()).toMatchObject({ id: 1, customer: "Ada", lines: [{ item: 1, quantity: 2 }], total: 20, version: 2 });
      expect(await (await send("GET", `${api.url}/orders`)).json()).toMatchObject({ orders: [{ id: 1 }], next: null });
      await send("POST", `${api.url}/items`, { name: "Sample Item" });
      expect((await send("DELETE", `${api.url}/orders/1`)).status).toBe(204);
      await own.lines(/^\[/, 3);
      await both.lines(/^\[/, 3);
      await items.lines(/^\[/, 1);
      const shown = (logger: typeof own) => logger.stdout.slice(1).map((line) => line.replace(/ at .*/, ""));
      expect(shown(own)).toEqual(["[CREATED] Order ID: 1", "[UPDATED] Order ID: 1", "[DELETED] Order ID: 1"]);
      expect(shown(both)).toEqual(["[CREATED] Order ID: 1", "[CREATED] Item ID: 1, Name: Sample Item", "[DELETED] Order ID: 1"]);
      expect(shown(items)).toEqual(["[CREATED] Item ID: 1, Name: Sample Item"]);
      const docs = (await (await send("GET", `${api.url}/swagger/json`)).json()) as { paths: Record<string, object> };
      expect(Object.keys(docs.paths)).toContain("/orders/{id}");
    } finally {
      await endAll();
      data.remove();
    }
  });

  test("is typed to the client, after `bun run generate`", async () => {
    const data = temporaryFolder();
    try {
      await Bun.write(join(copy.path, "client.ts"), client);
      const generate = run(["src/commands/generate.ts"], { cwd: copy.path });
      expect(await generate.exited).toBe(0);
      await Bun.write(
        join(copy.path, "tsconfig.client.json"),
        JSON.stringify({ extends: "./tsconfig.json", include: ["client.ts", "src/assets.d.ts", "consumers"] }),
      );
      const types = run(["node_modules/typescript/bin/tsc", "-p", "tsconfig.client.json"], { cwd: copy.path });
      const code = await types.exited;
      expect([code, types.stdout.join("\n")]).toEqual([0, ""]);
      const api = await startApi({ cwd: copy.path, env: environment(data.path) });
      await send("POST", `${api.url}/items`, { name: "x", price: 3 });
      const program = run(["client.ts", api.url], { cwd: copy.path });
      expect(await program.exited).toBe(0);
      expect(program.stdout).toEqual(["Eve 1 3 function"]);
    } finally {
      await endAll();
      data.remove();
    }
  });
});

describeWithRabbit("a second resource on RabbitMQ", () => {
  const rabbit = useRabbit();

  test("has a queue of its own, whether or not somebody consumes it", async () => {
    const data = temporaryFolder();
    try {
      const options = { cwd: copy.path, env: environment(data.path, rabbit().url) };
      const api = await startApi(options);
      await send("POST", `${api.url}/orders`, { customer: "Ada", lines: [{ item: 1, quantity: 2 }], total: 19.98 });
      await send("POST", `${api.url}/items`, { name: "Sample Item" });
      const logger = await startLogger(["--queue", "order_events", "--json"], options);
      const [line = ""] = await logger.lines(/order/, 1);
      expect(JSON.parse(line)).toMatchObject({ type: "order.created", order: { id: 1, customer: "Ada" } });
      const connection = await connect(rabbit().url);
      const channel = await connection.createChannel();
      const message = await channel.get("item_events");
      expect(message ? message.properties.type : undefined).toBe("item.created");
      await connection.close();
    } finally {
      await endAll();
      data.remove();
    }
  });
});
