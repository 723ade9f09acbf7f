// DELETE /consumers/:queue: the queue of a consumer that is gone.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import consumersRoute from "../src/built-in/consumers";
import schedules from "../src/built-in/schedules";
import { consumerStores } from "../src/store/open";
import { openConsumerFile } from "../src/store/sqlite/consumer/file";
import { openApi, type TestApi } from "./support/api";
import { deadEvents } from "./support/dead-letters";

let api: TestApi;
beforeEach(() => {
  api = openApi({
    routes: [
      { file: "consumers.ts", path: "/consumers", route: consumersRoute },
      { file: "schedules.ts", path: "/schedules", route: schedules },
    ],
  });
});
afterEach(() => api.close());

const folder = () => join(api.consumersDir, "..");
const stores = () => consumerStores({ dataDir: folder(), database: { engine: "sqlite", file: api.databaseFile, shown: "" } });
const remove = async (queue: string, query = ""): Promise<[number, unknown]> => {
  const answer = await api.send("DELETE", `/consumers/${queue}${query}`);
  const { detail } = answer.json<{ detail?: string }>();
  return [answer.status, detail ?? answer.json()];
};

test("one that does not exist is a 404", async () => {
  expect(await remove("nothing")).toEqual([404, expect.stringContaining('There is no queue "nothing".')]);
  expect((await remove("..%2f..%2fwarren"))[0]).toBe(422);
});

test("an empty one goes, with its schedule", async () => {
  await (await stores().open("remind", { durable: false })).close();
  await api.store.schedules.announce({ queue: "remind", pattern: "@daily", timeZone: "UTC", missed: "once", overlap: false });
  expect(await remove("remind")).toEqual([200, { removed: "remind", messages: null, retries: 0, deadLetters: 0 }]);
  expect(existsSync(join(api.consumersDir, "remind.db"))).toBe(false);
  expect((await api.send("GET", "/schedules")).json<object>()).toEqual({ schedules: [] });
});

test("one with something in it is a 409 that says what, unless it is forced", async () => {
  const file = openConsumerFile(join(api.consumersDir, "old-stock.db"), { durable: false });
  const about = { type: "item.created", reason: "rejected", error: "no", stack: null, attempts: 1, firstFailure: "", lastFailure: "" };
  await file.together(async ({ dead }) => {
    for (const event of deadEvents(2)) await dead.add({ ...about, ...event, replay: "no", traceparent: null });
  });
  await file.close();
  expect(await remove("old-stock")).toEqual([
    409,
    '"old-stock" has 2 dead letters, which would be lost. To remove it anyway, add force=true.',
  ]);
  expect(await remove("old-stock", "?force=maybe")).toEqual([422, expect.any(String)]);
  expect(await remove("old-stock", "?force=true")).toEqual([200, expect.objectContaining({ removed: "old-stock", deadLetters: 2 })]);
  expect((await remove("old-stock"))[0]).toBe(404);
});

test("one with a running consumer is a 409, forced or not", async () => {
  const own = stores();
  const store = await own.open("stock", { durable: false });
  const share = await own.join("stock", () => {});
  for (const query of ["", "?force=true"])
    expect(await remove("stock", query)).toEqual([409, '1 consumer of "stock" is running: stop it first.']);
  await share.leave();
  await store.close();
  expect((await remove("stock"))[0]).toBe(200);
});
