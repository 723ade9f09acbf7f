// The page of all events, in a real browser that can reach this service and nothing else.
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser } from "playwright-core";
import { describeWithBrowser, host, startBrowser } from "../support/browser";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, send, startApi } from "../support/processes";

// A browser takes its time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

describeWithBrowser("the AsyncAPI page", () => {
  let browser: Browser;
  const folder = temporaryFolder();
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterEach(endAll);
  afterAll(async () => {
    await browser?.close();
    folder.remove();
  });

  test("shows every operation and message of the document, from this origin alone, without an error", async () => {
    // With a token, since without one the service answers to localhost alone; the page needs none.
    const api = await startApi({ env: { ...environment(folder.path), API_TOKEN: "a-secret-for-tests" } });
    const origin = api.url.replace("127.0.0.1", host);
    const page = await browser.newPage();
    const urls: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    page.on("requestfailed", (request) => complaints.push(`${request.url()} failed: ${request.failure()?.errorText}`));
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`${origin}/asyncapi`);
    await page.waitForSelector("#operations");

    const document = (await (await send("GET", `${api.url}/asyncapi.json`)).json()) as {
      operations: object;
      components: { messages: object };
    };
    const text = await page.locator("#asyncapi").textContent();
    const operations = Object.keys(document.operations);
    expect(operations).toEqual(expect.arrayContaining(["publish.item.created", "consume.audit", "consume.logger", "consume.webhook"]));
    for (const operation of operations) expect(text).toContain(`Operation ID${operation}`);
    for (const message of Object.keys(document.components.messages)) expect(text).toContain(`Message ID${message}`);
    expect(new Set(urls.map((url) => new URL(url).origin))).toEqual(new Set([origin]));
    expect(urls).toContain(`${origin}/asyncapi/component.js`);
    expect(complaints).toEqual([]);
  });
});
