// Swagger UI in a real browser that can reach this service and nothing else.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { describeWithBrowser, host, startBrowser } from "../support/browser";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, send, startApi } from "../support/processes";

// A browser takes its time on a busy machine; one that hangs still ends.
setDefaultTimeout(120_000);

describeWithBrowser("Swagger UI", () => {
  let browser: Browser;
  let folder: ReturnType<typeof temporaryFolder>;
  let page: Page;
  /** Requests, and what the page complained of. */
  let seen: { urls: string[]; complaints: string[] };

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    folder = temporaryFolder();
    seen = { urls: [], complaints: [] };
    const context = await browser.newContext();
    page = await context.newPage();
    page.on("request", (request) => seen.urls.push(request.url()));
    page.on("requestfailed", (request) => seen.complaints.push(`${request.url()} failed: ${request.failure()?.errorText}`));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") seen.complaints.push(message.text());
    });
    page.on("pageerror", (error) => seen.complaints.push(error.message));
  });
  afterEach(async () => {
    await page.context().close();
    await endAll();
    folder.remove();
  });

  /** Opens the page by a name other than localhost. Returns the origin. */
  async function open(env: Record<string, string> = {}) {
    // Without API_TOKEN the service answers to localhost alone, and to what is named.
    const api = await startApi({ env: { ...environment(folder.path), ALLOWED_HOSTS: host, ...env } });
    const origin = api.url.replace("127.0.0.1", host);
    await page.goto(`${origin}/swagger`);
    await page.waitForSelector(".opblock");
    return { api, origin };
  }

  /** Opens an operation and executes it unchanged. Returns the status and body that the page shows. */
  async function tryOut(operation: string): Promise<{ status: string; body: string }> {
    const block = page.locator(`#operations-${operation}`);
    if (!(await block.getAttribute("class"))?.includes("is-open")) await block.locator(".opblock-summary-control").click();
    // The answer of a time before would pass for this one's.
    const clear = block.locator("button.btn-clear");
    if (await clear.isVisible()) await clear.click();
    await block.locator("button.execute").click();
    const response = block.locator(".live-responses-table .response").first();
    await response.waitFor();
    const text = async (selector: string) => (await response.locator(selector).first().textContent())?.trim() ?? "";
    return { status: await text(".response-col_status"), body: await text(".response-col_description .highlight-code code") };
  }

  test("shows every operation of the document, from this origin alone, without an error", async () => {
    const { api, origin } = await open();
    const document = (await (await send("GET", `${api.url}/swagger/json`)).json()) as { paths: Record<string, Record<string, object>> };
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const shown = await page.locator(".opblock").evaluateAll((blocks) =>
      blocks.map((block) => {
        const text = (selector: string) => block.querySelector(selector)?.textContent?.replaceAll("\u200b", "") ?? "";
        return `${text(".opblock-summary-method")} ${text(".opblock-summary-path")}`;
      }),
    );
    expect(documented).toContain("PATCH /items/{id}");
    expect(shown.sort()).toEqual(documented.sort());
    expect(new Set(seen.urls.map((url) => new URL(url).origin))).toEqual(new Set([origin]));
    expect(seen.urls).toContain(`${origin}/swagger/swagger-ui-bundle.js`);
    expect(await page.locator("button.authorize").count()).toBe(1);
    expect(seen.complaints).toEqual([]);
  });

  test("lists as it stands, with no filter filled in, and does not try what has no end", async () => {
    const { api } = await open();
    const shown = await page.locator(".opblock-tag").evaluateAll((all) => all.map((tag) => tag.getAttribute("data-tag")));
    const { tags } = (await (await send("GET", `${api.url}/swagger/json`)).json()) as { tags: { name: string }[] };
    // tests/openapi-document.test.ts has the order; a route whose tag is not described would stand here and not there.
    expect(shown).toEqual(tags.map(({ name }) => name));
    expect(shown.slice(0, 3)).toEqual(["items", "events", "dead letters"]);
    expect(await page.locator(".info .description").textContent()).toContain("items. Events: item.created");
    expect((await tryOut("items-getItems")).status).toBe("200");
    const asked = seen.urls.map((url) => new URL(url)).filter(({ pathname }) => pathname === "/items");
    expect(asked.map(({ search }) => search)).toEqual(["?limit=50&sort=id"]);
    const stream = page.locator("#operations-events-getEventsStream");
    await stream.locator(".opblock-summary-control").click();
    expect(await stream.locator(".opblock-description").textContent()).toContain("curl --no-buffer");
    expect(await stream.locator("button.execute").count()).toBe(0);
    expect((await tryOut("events-getEvents")).status).toBe("200");
    if (process.env["SCREENSHOTS"]) await page.screenshot({ path: `${process.env["SCREENSHOTS"]}/swagger.png`, fullPage: true });
    expect(seen.complaints).toEqual([]);
  });

  test("creates an item with the example as it stands", async () => {
    const { api, origin } = await open();
    const { status, body } = await tryOut("items-postItems");
    expect(status).toBe("201");
    expect(JSON.parse(body)).toMatchObject({ id: 1, name: "Sample Item", description: null, price: 9.99, version: 1 });
    const stored = await (await send("GET", `${api.url}/items/1`)).json();
    expect(JSON.parse(body)).toEqual(stored);
    const read = await tryOut("items-getItemsById");
    expect([read.status, JSON.parse(read.body)]).toEqual(["200", stored]);
    const changed = await tryOut("items-patchItemsById");
    // The example has the name that it has already, and so changes nothing.
    expect([changed.status, JSON.parse(changed.body)]).toEqual(["200", stored]);
    expect(new Set(seen.urls.map((url) => new URL(url).origin))).toEqual(new Set([origin]));
    expect(seen.complaints).toEqual([]);
  });

  test("asks for the token where one is set, and sends it", async () => {
    const { api } = await open({ API_TOKEN: "a-secret-for-tests" });
    expect(await tryOut("items-postItems")).toMatchObject({ status: "401" });
    await page.locator("button.authorize").first().click();
    await page.locator(".auth-container input").fill("a-secret-for-tests");
    await page.locator(".auth-btn-wrapper button.authorize").click();
    await page.locator(".auth-btn-wrapper .btn-done").click();
    const { status, body } = await tryOut("items-postItems");
    expect([status, JSON.parse(body)]).toMatchObject(["201", { id: 1 }]);
    await page.reload();
    const again = await tryOut("items-postItems");
    expect([again.status, JSON.parse(again.body)]).toMatchObject(["201", { id: 2 }]);
    const headers = { authorization: "Bearer a-secret-for-tests" };
    expect((await fetch(`${api.url}/items/1`, { headers })).status).toBe(200);
    // The browser itself notes the 401.
    expect(seen.complaints.filter((complaint) => !complaint.includes("401"))).toEqual([]);
  });
});
