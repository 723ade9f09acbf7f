// The console of a service with RabbitMQ, in a real browser: its figures, dead letters, consumers and ways, and a RabbitMQ that is away.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { describeWithBrowser, startBrowser } from "../support/browser";
import { accessibilityFaults, sidewaysScroll, type Watched, watchedPage } from "../support/console-browser";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, eventually, send, startApi } from "../support/processes";
import { type QueueConsumer, queueConsumers, untilDead } from "../support/queue-consumer";
import { describeWithRabbit, emptyBroker, useOwnRabbit } from "../support/rabbit";

setDefaultTimeout(120_000);

describeWithRabbit("on RabbitMQ", () => {
  describeWithBrowser("the console", () => {
    const rabbit = useOwnRabbit();
    let browser: Browser;
    let folder: ReturnType<typeof temporaryFolder>;
    let watched: Watched;
    let page: Page;
    let consumers: Awaited<ReturnType<typeof queueConsumers>>;

    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser?.close());
    beforeEach(async () => {
      folder = temporaryFolder();
      watched = await watchedPage(browser);
      page = watched.page;
      consumers = await queueConsumers(env());
    });
    afterEach(async () => {
      await watched.close();
      await endAll();
      consumers.remove();
      folder.remove();
      await emptyBroker(rabbit());
    });

    const env = () => environment(folder.path, rabbit().url);

    /** Starts the API and a consumer of the queue `crm`, which handles four events and gives up five, for two reasons. */
    async function start(): Promise<{ url: string; crm: QueueConsumer }> {
      const { url } = await startApi({ env: env() });
      consumers.fails({ crash: "fail", shelfless: "reject" });
      const crm = await consumers.start({ queue: "crm", events: ["item.*"], startFrom: "beginning" });
      for (const name of ["mug", "lamp", "crash", "tote", "crash", "shelfless", "apron", "crash", "shelfless"])
        expect((await send("POST", `${url}/items`, { name, price: 9.5 })).status).toBe(201);
      await untilDead(url, "crm", 5);
      return { url, crm };
    }

    const open = async (url: string, link = "") => void (await page.goto(`${url}/console/${link}`));

    test("shows figures of the way through RabbitMQ, the consumer, and the exchanges", async () => {
      const { url, crm } = await start();
      await open(url);
      await page.getByText("RabbitMQ connected").waitFor();
      const figures = page.getByLabel("Figures");
      await figures.getByText("Confirmed by RabbitMQ").waitFor();
      await figures.getByText("None waits", { exact: true }).waitFor();
      await figures.getByText(/^9 in the log/).waitFor();
      const legs = page.getByRole("region", { name: "How long it takes" });
      for (const leg of ["Request", "Commit", "Commit to confirmed"]) await legs.getByText(leg, { exact: true }).waitFor();
      // What a consumer did before somebody looked is not counted.
      await eventually(async () => {
        await send("POST", `${url}/items`, { name: "mug", price: 9.5 });
        return (await legs.getByText("Handler", { exact: true }).isVisible()) && (await legs.getByText("Commit to handled").isVisible());
      }, "the work of the consumer");
      await page.getByRole("region", { name: "Flow" }).getByText("Confirmed").waitFor();
      await page.getByRole("img", { name: /^Events per second since/ }).waitFor();
      const queues = page.getByLabel("Queues");
      await queues.getByRole("link", { name: "5 dead letters of crm" }).waitFor();
      await queues.getByText("item_events").waitFor();
      await page.getByLabel("Latest dead letters").getByText("no such shelf").waitFor();

      await open(url, "#/consumers/crm");
      await page.getByText(String(crm.pid)).first().waitFor();
      await page
        .getByText(/^(the warehouse does not answer|no such shelf)$/)
        .first()
        .waitFor();

      await open(url, "#/topology");
      const ways = page.getByLabel("The ways of events");
      const { resources } = (await (await fetch(`${url}/topology`)).json()) as { resources: { exchange: string; queue: string }[] };
      for (const { exchange, queue } of resources) {
        await ways.getByRole("list", { name: "Exchanges" }).getByText(exchange, { exact: true }).waitFor();
        await ways.getByRole("list", { name: "Queues" }).getByText(queue, { exact: true }).waitFor();
      }
      await ways.getByRole("list", { name: "Queues" }).getByText("crm", { exact: true }).waitFor();
      for (const theme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme: theme });
        for (const width of [1440, 390]) {
          await page.setViewportSize({ width, height: 900 });
          expect([theme, width, await accessibilityFaults(page), await sidewaysScroll(page)]).toEqual([theme, width, [], 0]);
        }
      }
      expect(watched.complaints).toEqual([]);
    });

    test("groups dead letters by error, redrives one group and discards the other", async () => {
      const { url, crm } = await start();
      await open(url, "#/dead-letters/crm");
      const groups = page.locator(".group");
      await eventually(async () => (await groups.count()) === 2, "two groups");
      const group = (error: string) => groups.filter({ hasText: error }).getByRole("checkbox");
      const letters = page.locator(".letter");
      await letters.first().getByRole("link").click();
      await page.getByRole("tab", { name: "Event" }).waitFor();
      await page.getByRole("complementary").getByText("item.created").first().waitFor();
      await page.getByRole("complementary").getByRole("button", { name: "Close" }).first().click();

      consumers.works();
      await group("the warehouse does not answer").check();
      await page.getByRole("button", { name: "Redrive 3" }).click();
      await page.getByText("Redrove 3 dead letters of crm").waitFor();
      // Five were given up: three after two attempts, two at once. Four were handled.
      await crm.untilSeen(4 + 3 * 2 + 2 + 3);
      await eventually(async () => (await groups.count()) === 1, "one group");

      await group("no such shelf").check();
      await page.getByRole("button", { name: "Discard…" }).last().click();
      await page.getByRole("dialog").getByRole("button", { name: "Discard 2" }).click();
      await page.getByText("Discarded 2 dead letters of crm").waitFor();
      await page.getByText("crm has no dead letters.").waitFor();
      await untilDead(url, "crm", 0);
      expect(watched.complaints).toEqual([]);
    });

    test("shows an event's way through RabbitMQ to its consumer, as far as it is known", async () => {
      const { url } = await start();
      await open(url, "#/events");
      const rows = page.locator(".events tbody tr");
      await rows.first().getByRole("link").first().click();
      await page.locator(".top").getByText("1 dead letter").waitFor();
      const lane = (name: string) => page.locator(".lane", { hasText: name });
      await lane("RabbitMQ").getByText("confirmed").waitFor();
      await lane("crm").getByText("dead letter").first().waitFor();
      await page.goBack();
      await rows.last().getByRole("link").first().click();
      await lane("RabbitMQ").getByText("confirmed").waitFor();
      await lane("crm").getByText("not known").waitFor();
      expect(watched.complaints).toEqual([]);
    });

    test("says that RabbitMQ is away, and that it is back, without a reload", async () => {
      const { url } = await start();
      await open(url);
      await page.getByText("RabbitMQ connected").waitFor();
      await rabbit().stop();
      await page.getByText("RabbitMQ away").waitFor();
      await page.getByText("RabbitMQ cannot be reached.").first().waitFor();
      expect((await send("POST", `${url}/items`, { name: "mug", price: 1 })).status).toBe(201);
      await page
        .getByLabel("Figures")
        .getByText(/^1 wait/)
        .waitFor();
      await rabbit().start();
      await page.getByText("RabbitMQ connected").waitFor({ timeout: 60_000 });
      await page.getByLabel("Figures").getByText("None waits", { exact: true }).waitFor();
      await page.getByLabel("Queues").getByText("crm").waitFor();
      // The browser notes that dead letters could not be read meanwhile.
      expect(watched.complaints.filter((one) => !one.includes("503"))).toEqual([]);
    });
  });
});
