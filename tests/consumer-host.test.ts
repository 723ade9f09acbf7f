// The port of a consumer on this machine: no page of another site reads it.
import { afterAll, afterEach, expect, test } from "bun:test";
import { temporaryFolder } from "./support/folder";
import { endAll, environment, run } from "./support/processes";

const folder = temporaryFolder();
afterEach(endAll);
afterAll(() => folder.remove());

test("it answers only to names that another site cannot have, as the API does", async () => {
  const consumer = run(["consumers/logger.ts", "--metrics-port", "0", "--health-port", "0"], { env: environment(folder.path) });
  const urlOf = async (what: string) =>
    /http:\S+/.exec((JSON.parse(await consumer.line(what, "stderr")) as { msg: string }).msg)?.[0] ?? "";
  for (const url of [await urlOf("Metrics are"), await urlOf("Health is")]) {
    const status = async (host: string) => (await fetch(url, { headers: { host } })).status;
    for (const host of ["attacker.example", "attacker.example:9464", "localhost.attacker.example", "127.0.0.1.attacker.example"]) {
      expect([host, await status(host)]).toEqual([host, 421]);
    }
    for (const host of ["localhost", "localhost:9464", "127.0.0.1", "[::1]:9464"])
      expect([host, await status(host)]).not.toEqual([host, 421]);
  }
});

test("one that other machines reach answers to any name that they know it by", async () => {
  const consumer = run(["consumers/logger.ts", "--metrics-port", "0", "--metrics-host", "0.0.0.0"], { env: environment(folder.path) });
  const port = /:(\d+)\/metrics/.exec(await consumer.line("Metrics are", "stderr"))?.[1];
  expect((await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { host: "warehouse.internal:9464" } })).status).toBe(200);
});
