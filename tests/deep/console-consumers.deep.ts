// Consumers, webhooks and settings in the console, in a real browser.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import type { Browser, Page } from "playwright-core";
import { defineResource } from "warren/resource";
import { readConfig } from "../../src/config/config";
import { openStore } from "../../src/store/open";
import { describeWithBrowser, startBrowser } from "../support/browser";
import { accessibilityFaults, sidewaysScroll, type Watched, watchedPage } from "../support/console-browser";
import { type Api, endAll, send, startApi } from "../support/processes";
import { type QueueConsumers, queueConsumers } from "../support/queue-consumer";
import { empty, WebhookTest } from "../support/webhook";

// Consumers report every five seconds.
setDefaultTimeout(120_000);

describeWithBrowser("with the console, one", () => {
  let browser: Browser;
  let it: WebhookTest;
  let consumers: QueueConsumers | undefined;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    it = new WebhookTest();
    watched = await watchedPage(browser);
    page = watched.page;
  });
  afterEach(async () => {
    await watched.close();
    await endAll();
    consumers?.remove();
    consumers = undefined;
    it.dispose();
  });

  const open = async (api: Api, link: string) => {
    await page.goto(`${api.url}/console/${link}`);
  };
  const heading = (name: string) => page.getByRole("heading", { name, exact: true });
  const create = (api: Api, name = "Sample Item") => send("POST", `${api.url}/items`, { name });

  test("sees who works on a queue and what failed last, and how to start one that is not there", async () => {
    const api = await startApi({ env: it.env });
    consumers = await queueConsumers(it.env);
    consumers.fails({ bad: "once" });
    const crm = await consumers.start({ queue: "crm", startFrom: "beginning" });
    await create(api, "bad");
    await crm.untilSeen(2);
    await open(api, "#/consumers");
    await page.getByText("the warehouse does not answer").first().waitFor();
    await page.getByText("bun run consumers/audit.ts").waitFor();
    await page.getByRole("row", { name: /crm/ }).getByRole("link", { name: "crm" }).first().click();
    await heading("Processes").waitFor();
    await page
      .locator("td.name", { hasText: String(crm.pid) })
      .first()
      .waitFor();
    await page.getByText("No file in consumers/ of this project has the queue crm.", { exact: false }).waitFor();
    expect(await page.getByRole("button", { name: "Remove…" }).count()).toBe(0);
    await page.getByRole("link", { name: "Show it" }).click();
    await page.waitForSelector(".timeline");
    expect(watched.complaints).toEqual([]);
  });

  test("removes an abandoned queue, which asks", async () => {
    const api = await startApi({ env: it.env });
    consumers = await queueConsumers(it.env);
    const typo = await consumers.start({ queue: "aduit", startFrom: "beginning" });
    await create(api);
    await typo.untilSeen(1);
    await typo.stop();
    await create(api);
    await open(api, "#/");
    await page.getByRole("link", { name: "How to start it" }).click();
    await heading("aduit").waitFor();
    await page.getByRole("button", { name: "Remove…" }).click();
    await page.getByText("It has 1 event waiting, which would be lost.", { exact: false }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    const removing = page.getByRole("button", { name: "Remove it" });
    expect(await removing.isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.getByRole("button", { name: "Remove…" }).click();
    await page.getByLabel("Type aduit to confirm").fill("aduit");
    await removing.click();
    await heading("Consumers").waitFor();
    await page.getByText("There are no queues yet.").waitFor();
    const { queues } = (await (await fetch(`${api.url}/status`)).json()) as { queues: unknown[] };
    expect([queues, watched.complaints]).toEqual([[], []]);
  });

  test("cancels an event that was to be published later, which asks", async () => {
    const loan = defineResource({ name: "loan", fields: { book: Type.String() }, events: { overdue: {} }, example: { book: "Emma" } });
    const store = await openStore(readConfig({ isTerminal: false, environment: it.env }), [loan]);
    for (const book of ["Emma", "Persuasion"])
      await store.insert(loan, { book }, { later: [{ event: "overdue", at: "2039-01-02T00:00:00Z" }] });
    await store.close();
    const api = await startApi({ env: it.env });
    await open(api, "#/consumers");
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    await button("Cancel… loan.overdue of 2").click();
    await page.getByText("would never be published", { exact: false }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await button("Keep it").click();
    await button("Cancel… loan.overdue of 2").click();
    await button("Cancel the event").click();
    await button("Cancel… loan.overdue of 2").waitFor({ state: "detached" });
    await button("Cancel… loan.overdue of 1").waitFor();
    const { timers } = (await (await fetch(`${api.url}/timers`)).json()) as { timers: { id: number }[] };
    expect([timers.map(({ id }) => id), watched.complaints]).toEqual([[1], []]);
  });

  test("sees how subscribers answer, and why one is disabled", async () => {
    const api = await startApi({ env: it.env });
    it.subscriber("good");
    it.subscriber("moody", (nth) => empty(nth === 1 ? 503 : 204));
    it.subscriber("gone", () => empty(410));
    const webhook = await it.start();
    await it.createItems(api, 2);
    await webhook.logged("gone", "is disabled");
    await open(api, "#/webhooks");
    await page.getByText("bun run consumers/webhook.ts --enable gone").waitFor();
    const row = (name: string) => page.getByRole("row", { name: new RegExp(`^${name}`) });
    await row("good").getByText("delivering").waitFor();
    await row("good").getByText("204").waitFor();
    await row("gone").getByText("disabled").waitFor();
    await row("gone").getByText("410").waitFor();
    await page.getByText(/responded with 503/).waitFor();
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 });
        expect([theme, width, await accessibilityFaults(page), await sidewaysScroll(page)]).toEqual([theme, width, [], 0]);
      }
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    const text = (await page.textContent("body")) ?? "";
    expect(it.secrets.filter((secret) => text.includes(secret))).toEqual([]);
    await page.getByRole("link", { name: "Replay…" }).click();
    expect(await page.getByLabel("Queue").inputValue()).toBe("webhook.gone");
    expect(await page.getByLabel("From").inputValue()).toMatch(/^20\d\d-/);
    await webhook.stop();
    await open(api, "#/webhooks");
    await page.getByText("No process delivers to them").waitFor();
    expect(watched.complaints).toEqual([]);
  });

  test("sees every setting, and no secret; without the scope admin none", async () => {
    const [admin, reader, key] = ["admin-token-1", "reader-token-1", "k".repeat(40)];
    const api = await startApi({ env: { ...it.env, API_TOKEN: `read:ada:${reader},${admin}`, WARREN_KEY: key } });
    const signIn = async (token: string) => {
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    await open(api, "#/health");
    await signIn(reader);
    await page.getByText("Settings need a token with the scope admin.").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn(admin);
    const row = page.getByRole("row", { name: /API_TOKEN/ });
    await row.getByText("read (ada), admin").waitFor();
    await row.getByText("secret, not shown").waitFor();
    const text = (await page.textContent("body")) ?? "";
    expect([admin, reader, key].filter((secret) => text.includes(secret))).toEqual([]);
    await page.getByText("ready", { exact: true }).waitFor();
  });
});
