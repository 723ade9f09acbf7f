// A consumer on another machine than the API, to which RabbitMQ brings the events: what its handlers change goes to the API at API_URL.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { openConsumerTables } from "../../src/store/sqlite/consumer/own-tables";
import { freePort } from "../support/net";
import { type Api, endAll, environment, eventually, run, startApi } from "../support/processes";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { useFolder } from "../support/use-folder";

setDefaultTimeout(120_000);

describeWithRabbit("a consumer with API_URL", () => {
  const rabbit = useRabbit();
  const [machine, other] = [useFolder(), useFolder()];
  afterEach(async () => {
    await endAll();
    await emptyBroker(rabbit());
  });
  const token = "token-of-the-admin";
  const shared = { WARREN_KEY: "k".repeat(32), LOG_LEVEL: "warn" };

  test("waits while the token is wrong or the API is away, and changes each record once", async () => {
    const port = String(freePort());
    const env = { ...environment(machine.path, rabbit().url), ...shared, API_TOKEN: token, LOG_LEVEL: "info", PORT: port };
    let api: Api = await startApi({ env });
    const authorization = `Bearer ${token}`;
    const add = async (count: number) => {
      for (let each = 0; each < count; each += 1)
        expect(
          (
            await fetch(`${api.url}/items`, {
              ...{ method: "POST", headers: { authorization, "content-type": "application/json" } },
              body: JSON.stringify({ name: "Lamp", price: 1 }),
            })
          ).status,
        ).toBe(201);
    };
    const prices = async () => {
      const { items } = (await (await fetch(`${api.url}/items?limit=100`, { headers: { authorization } })).json()) as {
        items: { price: number; version: number }[];
      };
      return items.map(({ price, version }) => `${price} v${version}`);
    };
    const start = (apiToken: string) =>
      run(["tests/support/price-consumer.ts"], {
        env: { ...environment(other.path, rabbit().url), ...shared, API_URL: `http://127.0.0.1:${port}`, API_TOKEN: apiToken },
      });

    await add(5);
    const stranger = start("another-token-of-somebody");
    await stranger.line('Its token in API_TOKEN must be one of the API with the scope \\"admin\\".', "stderr");
    expect(await prices()).toEqual(Array(5).fill("1 v1"));
    expect(await stranger.stop()).toBe(0);

    const consumer = start(token);
    await eventually(async () => (await prices()).every((price) => price === "2 v2") || undefined, "the changes");
    await add(20);
    await api.stop("SIGKILL");
    api = await startApi({ env });
    await add(5);
    await eventually(async () => (await prices()).every((price) => price === "2 v2") || undefined, "the other changes");
    expect(await prices()).toHaveLength(30);
    const tables = await openConsumerTables(`${other.path}/data/consumers/prices.db`);
    const noted = async () => (await tables?.all<{ item: number; price: number }>("SELECT item, price FROM prices ORDER BY item")) ?? [];
    await eventually(async () => (await noted()).length === 30 || undefined, "its own table");
    expect(await noted()).toEqual(Array.from({ length: 30 }, (_, index) => ({ item: index + 1, price: 2 })));
    await tables?.close();
    expect(await consumer.stop()).toBe(0);
    const dead = (await (await fetch(`${api.url}/dead-letters`, { headers: { authorization } })).json()) as { queues: { count: number }[] };
    expect(dead.queues.every(({ count }) => count === 0)).toBe(true);
  });
});
