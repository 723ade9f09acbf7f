// The console of several API processes on one PostgreSQL, in a real browser: at each of them, and behind a load balancer.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import type { Browser, Page } from "playwright-core";
import { consumerStores } from "../../src/store/open";
import { schemaNameOf } from "../../src/store/postgres/consumer/schema-name";
import { ApiGroup } from "../support/api-group";
import { type Balancer, startBalancer } from "../support/balancer";
import { describeWithBrowser, startBrowser } from "../support/browser";
import { type Watched, watchedPage } from "../support/console-browser";
import { deadEvents } from "../support/dead-letters";
import { describeWithPostgres, usePostgres } from "../support/postgres";
import { type Api, endAll, eventually, send } from "../support/processes";
import { queueConsumers } from "../support/queue-consumer";

const queue = "crm";
const item = { name: "Sample Item", price: 9.99 };
/** More than the processes do in one transaction. */
const dead = 700;

describeWithPostgres("on PostgreSQL", () => {
  setDefaultTimeout(120_000);
  describeWithBrowser("with several processes, the console", () => {
    const schema = usePostgres();
    let browser: Browser;
    let group: ApiGroup;
    let pages: Watched[];
    let balancer: Balancer | undefined;

    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser?.close());
    beforeEach(() => {
      pages = [];
      balancer = undefined;
    });
    afterEach(async () => {
      for (const watched of pages) await watched.close();
      await balancer?.stop();
      await endAll();
      for (const own of [queue, "stock"]) await schema().evaluate(`DROP SCHEMA IF EXISTS "${schemaNameOf(schema().name, own)}" CASCADE`);
      await schema().drop();
    });

    async function start(count: number, env: Record<string, string> = {}): Promise<readonly Api[]> {
      group = new ApiGroup(schema(), env);
      await group.start(count);
      return group.apis;
    }

    async function open(url: string, link = ""): Promise<Page> {
      const watched = await watchedPage(browser);
      pages.push(watched);
      await watched.page.goto(`${url}/console/${link}`);
      return watched.page;
    }

    const complaints = () => pages.flatMap((watched) => watched.complaints);

    async function fillDead(): Promise<void> {
      const stores = consumerStores({ database: schema().address, dataDir: "" });
      const store = await stores.open(queue, { durable: false });
      const at = new Date().toISOString();
      const about = { type: "item.created", reason: "rejected", error: "no", stack: null, attempts: 1, firstFailure: at, lastFailure: at };
      await store.together(async (own) => {
        for (const event of deadEvents(dead)) await own.dead.add({ ...about, ...event, replay: "no", traceparent: null });
      });
      await store.close();
      await stores.close();
    }

    /** Makes the removal of dead letters wait until the function that is returned is called. */
    async function holdWork(): Promise<() => Promise<void>> {
      const own = `"${schemaNameOf(schema().name, queue)}"`;
      await schema().evaluate(
        `CREATE FUNCTION ${own}.hold() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN OLD; END $$;
         CREATE TRIGGER hold BEFORE DELETE ON ${own}.warren_dead FOR EACH ROW EXECUTE FUNCTION ${own}.hold()`,
      );
      const holder = new SQL(schema().url.replace(/\?.*/, ""), { max: 1 });
      await holder`SELECT pg_advisory_lock(7)`;
      return () => holder.close();
    }

    const left = async (api: Api) => {
      const { queues } = (await (await fetch(`${api.url}/dead-letters`)).json()) as { queues: { queue: string; count: number }[] };
      return queues.find((each) => each.queue === queue)?.count;
    };

    test("shows the same at each, and in the tail of one what was made at another", async () => {
      const apis = await start(3);
      await fillDead();
      const consumers = await queueConsumers({ DATABASE_URL: schema().url, RABBITMQ_URL: "none" });
      await consumers.start({ queue: "stock", events: ["item.*"], startFrom: "beginning" });
      for (const api of apis) expect((await send("POST", `${api.url}/items`, item)).status).toBe(201);
      const shown = await Promise.all(apis.map((api) => open(api.url)));
      const rows = (page: Page) => page.getByLabel("Queues").locator("tbody tr").allInnerTexts();
      await eventually(async () => {
        const [first = [], ...others] = (await Promise.all(shown.map(rows))).map((each) => each.map((row) => row.split(/\s+/).slice(0, 6)));
        return first.length === 2 && others.every((other) => Bun.deepEquals(other, first));
      }, "each to show the same queues");
      for (const page of shown) await page.getByRole("link", { name: `Dead letters ${dead} dead letters` }).waitFor();
      const tails = await Promise.all(apis.map((api) => open(api.url, "#/events")));
      for (const tail of tails) await eventually(async () => (await tail.locator(".events tbody tr").count()) === 3, "three rows");
      expect((await send("POST", `${apis[1]?.url}/items`, item)).status).toBe(201);
      for (const tail of tails) await eventually(async () => (await tail.locator(".events tbody tr").count()) === 4, "four rows");
      consumers.remove();
      expect(complaints()).toEqual([]);
    });

    test("shows a redrive that began at another, and stops it", async () => {
      const apis = await start(2);
      await fillDead();
      const release = await holdWork();
      const [here, there] = (await Promise.all(apis.map((api) => open(api.url, `#/dead-letters/${queue}`)))) as [Page, Page];
      await here.locator(".group").getByRole("checkbox").first().check();
      await here.getByRole("button", { name: `Redrive ${dead}` }).click();
      await here.getByText("Redriving dead letters of crm").waitFor();
      await there.reload();
      await there.getByText("Redriving dead letters of crm").waitFor();
      await there.getByRole("button", { name: "Stop" }).click();
      await release();
      for (const page of [here, there]) await page.getByText(/^Redrove 500 dead letters of crm, then stopped/).waitFor();
      expect(await left(apis[1] as Api)).toBe(dead - 500);
      expect(complaints()).toEqual([]);
    });

    test("says of a redrive that its process was killed, and nothing is lost", async () => {
      const [first, second] = (await start(2)) as [Api, Api];
      await fillDead();
      const release = await holdWork();
      const body = { action: "redrive", queue, all: true };
      expect((await send("POST", `${first.url}/dead-letter-jobs`, body)).status).toBe(202);
      const page = await open(second.url, `#/dead-letters/${queue}`);
      await page.getByText("Redriving dead letters of crm").waitFor();
      await first.stop("SIGKILL");
      await page.getByText(`Process ${first.pid} on`).waitFor();
      await page.getByText("The redrive has failed").waitFor();
      await release();
      await eventually(async () => (await left(second)) === dead, "the letters to be back");
      expect(complaints()).toEqual([]);
    });

    test("behind a load balancer works with one session, and goes on when a process is killed", async () => {
      const apis = await start(3, { API_TOKEN: "admin-token" });
      await fillDead();
      balancer = startBalancer(apis.map(({ url }) => url));
      const page = await open(balancer.url, `#/dead-letters/${queue}`);
      await page.getByLabel("Token").fill("admin-token");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.locator(".group").getByRole("checkbox").first().check();
      await page.getByRole("button", { name: `Redrive ${dead}` }).click();
      await page.getByText(`Redrove ${dead} dead letters of crm`).waitFor();
      await page.getByText("crm has no dead letters.").waitFor();
      expect(balancer.answered.every((count) => count > 0)).toBe(true);

      await page.goto(`${balancer.url}/console/#/events`);
      await page.getByText("No event matches.").waitFor();
      await apis[0]?.stop("SIGKILL");
      const headers = { authorization: "Bearer admin-token", "content-type": "application/json" };
      const created = await fetch(`${apis[1]?.url}/items`, { method: "POST", headers, body: JSON.stringify(item) });
      expect(created.status).toBe(201);
      await eventually(async () => (await page.locator(".events tbody tr").count()) === 1, "the event");
      await page.reload();
      await eventually(async () => (await page.locator(".events tbody tr").count()) === 1, "the event again");
      await page.getByText("The service does not answer.").waitFor({ state: "hidden" });
      // The browser notes that the streams of the killed process broke, in words that depend on the moment.
      expect(complaints().filter((one) => !/401|net::ERR_/.test(one))).toEqual([]);
    });
  });
});
