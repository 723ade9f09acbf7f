// Very large events in the console, in a real browser.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { describeWithBrowser, startBrowser } from "../support/browser";
import { sidewaysScroll, type Watched, watchedPage } from "../support/console-browser";
import { recordMainThreads } from "../support/main-thread";
import { type Api, endAll, environment, send, startApi } from "../support/processes";
import { copyProject } from "../support/project-copy";

setDefaultTimeout(120_000);

const files = {
  "src/domain/document.ts": `import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";

export const document = defineResource({
  name: "document",
  fields: { name: Type.String(), values: Type.Array(Type.Integer()) },
  example: { name: "Report", values: [1, 2] },
});
`,
  "routes/documents.ts": `import { crud } from "warren/crud";
import { document } from "../src/domain/document";

export default crud(document);
`,
};

/** Just below the limit of a request, so that the event is above 1 MiB with what it adds. */
const size = 1024 * 1024 - 200;
const documents = {
  "one long text": { name: 'A "quoted" line\n'.repeat(size / 19), values: [] as number[] },
  "very many values": { name: "Numbers", values: new Array<number>(Math.floor(size / 8)).fill(1234567) },
};

describeWithBrowser("an event of 1 MiB", () => {
  let browser: Browser;
  let project: ReturnType<typeof copyProject>;
  let api: Api;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    browser = await startBrowser();
    project = copyProject();
    for (const [name, text] of Object.entries(files)) await Bun.write(join(project.path, name), text);
    api = await startApi({ cwd: project.path, env: environment(project.path) });
  });
  afterAll(async () => {
    await browser?.close();
    await endAll();
    project?.remove();
  });
  beforeEach(async () => {
    watched = await watchedPage(browser);
    page = watched.page;
  });
  afterEach(() => watched.close());

  test.each(Object.entries(documents))("opens, can be read to its end, and does not stop the page: %s", async (_, document) => {
    const created = await send("POST", `${api.url}/documents`, document);
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: number };
    const name = `Changed: ${document.name}`;
    expect((await send("PATCH", `${api.url}/documents/${id}`, { name })).status).toBe(200);
    await page.goto(`${api.url}/console/#/events`);
    await page.locator(".events tbody tr").first().waitFor();
    const end = await recordMainThreads(browser);
    await page.getByRole("link", { name: "document.updated" }).first().click();
    await page.getByRole("heading", { name: "The event, as published" }).waitFor();
    await page.locator(".change ins").first().waitFor();
    await page.locator(".timeline").waitFor();
    expect((await end()).longestMs).toBeLessThan(100);
    expect(await sidewaysScroll(page)).toBe(0);

    const published = page.locator("section", { has: page.getByRole("heading", { name: "The event, as published" }) });
    const shown = async () => (await published.locator("pre").textContent()) ?? "";
    expect((await shown()).length).toBe(65_536);
    const all = published.getByRole("button", { name: /^Show all [12](\.\d)? MB$/ });
    await all.click();
    await all.waitFor({ state: "hidden" });
    const event = JSON.parse(await shown()) as { document: typeof document };
    // Not compared by `expect`, whose message would have megabytes.
    expect([event.document.name === name, Bun.deepEquals(event.document.values, document.values)]).toEqual([true, true]);
    expect(watched.complaints).toEqual([]);
  });
});
