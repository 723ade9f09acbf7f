// Who may do what in the console, in a real browser: CONSOLE=read, CONSOLE=off, and users whom a proxy signs in.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { type Balancer, startBalancer } from "../support/balancer";
import { describeWithBrowser, startBrowser } from "../support/browser";
import { type Watched, watchedPage } from "../support/console-browser";
import { startScene } from "../support/console-scene";
import { temporaryFolder } from "../support/folder";
import { audience, type Claims, type TestIssuer, testIssuer } from "../support/issuer";
import { endAll, environment, eventually, send, startApi } from "../support/processes";

setDefaultTimeout(120_000);

const item = { name: "Sample Item", price: 9.99 };
const changing = /Redrive|Discard|Remove|Replay…|Create|New |Edit|Delete|Restore|Cancel|Stop|Save/;

describeWithBrowser("the console", () => {
  let browser: Browser;
  let folder: ReturnType<typeof temporaryFolder>;
  let watched: Watched;
  let page: Page;
  let issuer: TestIssuer | undefined;
  let proxy: Balancer | undefined;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    folder = temporaryFolder();
    watched = await watchedPage(browser);
    page = watched.page;
    issuer = proxy = undefined;
  });
  afterEach(async () => {
    await watched.close();
    await proxy?.stop();
    await endAll();
    await issuer?.stop();
    folder.remove();
  });

  /** Returns what the visible buttons and links of the page say. */
  const offered = async () => (await page.locator("#page button:visible, #page a:visible").allInnerTexts()).map((text) => text.trim());

  test("with CONSOLE=read shows every page, and offers and does nothing that changes something", async () => {
    const scene = await startScene({ env: { ...environment(folder.path), CONSOLE: "read" } });
    const pages: Record<string, string> = {
      "#/": "Overview",
      "#/events": "Events",
      [`#/events/${scene.deadEvent}`]: "Events / item.created",
      "#/dead-letters/crm": "Dead letters",
      [`#/dead-letters/crm?open=${scene.deadEvent}`]: "Dead letters",
      "#/replays": "Replays",
      "#/consumers": "Consumers",
      "#/consumers/crm": "crm",
      "#/webhooks": "Webhooks",
      "#/health": "Health",
      "#/data/item": "Data",
      "#/data/item/1": "items / 1",
      "#/data/item/new": "items / new",
      "#/data/item/1/edit": "items / 1",
      "#/topology": "Topology",
      "#/contracts": "Contracts",
    };
    await page.goto(`${scene.url}/console/`);
    await page.getByText("No token, this machine only, reads only").waitFor();
    for (const [link, heading] of Object.entries(pages)) {
      await page.goto(`${scene.url}/console/${link}`);
      await page.locator("h1", { hasText: heading }).first().waitFor();
      await page.waitForLoadState("load");
      await page.getByText("Loading…").waitFor({ state: "hidden" });
      expect([link, (await offered()).filter((text) => changing.test(text))]).toEqual([link, []]);
      expect([link, await page.locator("#page input[type=checkbox]:visible").count()]).toEqual([link, 0]);
    }
    await page.goto(`${scene.url}/console/#/data/item/new`);
    await page.getByText("This console changes nothing.").waitFor();
    expect(watched.complaints).toEqual([]);
    const forced = await page.evaluate(async () => {
      const headers = { "x-warren-console": "1", "content-type": "application/json" };
      const statuses: number[] = [];
      for (const [method, path, body] of [
        ["POST", "items", '{"name":"forced"}'],
        ["DELETE", "items/1", null],
        ["POST", "dead-letter-jobs", '{"action":"discard","queue":"crm","all":true}'],
        ["DELETE", "dead-letters/crm?all=true", null],
      ] as const)
        statuses.push((await fetch(`api/${path}`, { method, headers, body })).status);
      return statuses;
    });
    expect(forced).toEqual([403, 403, 403, 403]);
    await scene.stop();
  });

  test("with CONSOLE=read shows how to begin, without a button for it", async () => {
    const api = await startApi({ env: { ...environment(folder.path), CONSOLE: "read" } });
    await page.goto(`${api.url}/console/`);
    await page.getByRole("heading", { name: "Nothing has happened yet" }).waitFor();
    await page.getByText("curl ").first().waitFor();
    expect((await offered()).filter((text) => changing.test(text))).toEqual([]);
  });

  test("with CONSOLE=off is not there, and / and /asyncapi say where else to look", async () => {
    const api = await startApi({ env: { ...environment(folder.path), CONSOLE: "off" } });
    const at = async (path: string) => {
      const response = await page.goto(`${api.url}${path}`);
      return [response?.status(), (await response?.text()) ?? ""] as const;
    };
    for (const path of ["/console", "/console/", "/console/api/items", "/console/session"])
      expect([path, (await at(path))[0]]).toEqual([path, 404]);
    const [status, links] = await at("/");
    expect([status, JSON.parse(links)]).toMatchObject([200, { links: { openapi: "swagger/json", asyncapi: "asyncapi.json" } }]);
    expect(links).not.toContain("console");
    const [missing, detail] = await at("/asyncapi");
    expect([missing, detail]).toEqual([404, expect.stringContaining("/asyncapi.json")]);
  });

  /** Starts a service behind a proxy that signs everybody in with a new token for each request, as oauth2-proxy does. */
  async function behindProxy(claims: () => Claims | undefined): Promise<{ readonly url: string; readonly api: string }> {
    const opened = await testIssuer();
    issuer = opened;
    const env = { ...environment(folder.path), AUTH_ISSUER: opened.url, AUTH_AUDIENCE: audience };
    const api = await startApi({ env });
    proxy = startBalancer([api.url], async (): Promise<Record<string, string>> => {
      const claimed = claims();
      return claimed ? { authorization: `Bearer ${await opened.sign(claimed)}` } : {};
    });
    return { url: proxy.url, api: api.url };
  }

  test("behind a proxy that signs users in has no form, and acts as the user, also after the token has expired", async () => {
    const now = () => Math.floor(Date.now() / 1000);
    const { url } = await behindProxy(() => ({ sub: "ada", scope: "openid admin", exp: now() + 4 }));
    await page.goto(`${url}/console/`);
    await page.getByText("ada, admin").waitFor();
    expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(0);
    await page.getByRole("button", { name: "Create it" }).click();
    await page.getByRole("link", { name: "Show its timeline" }).click();
    await page.getByRole("heading", { name: "The event, as published" }).waitFor();
    await page.getByText("ada", { exact: true }).first().waitFor();

    // The streams end with the token that began them, and go on with the next one.
    await page.goto(`${url}/console/#/events`);
    const rows = page.locator(".events tbody tr");
    await eventually(async () => (await rows.count()) === 1, "one row");
    const streams = { begun: 0 };
    page.on("request", (request) => {
      if (request.url().includes("/stream")) streams.begun += 1;
    });
    let wasLost = false;
    await eventually(async () => {
      wasLost ||= await page.getByText("The service does not answer.").isVisible();
      return streams.begun >= 4;
    }, "each stream to begin again twice");
    const headers = { "x-warren-console": "1", "content-type": "application/json" };
    expect((await fetch(`${url}/console/api/items`, { method: "POST", headers, body: JSON.stringify(item) })).status).toBe(201);
    await eventually(async () => (await rows.count()) === 2, "two rows");
    expect(wasLost).toBe(false);
    expect(watched.complaints).toEqual([]);
  });

  test("behind a proxy allows what the user's token does, and asks for a token if there is none", async () => {
    let user: Claims | undefined = { sub: "eve", scope: "openid read" };
    const { url } = await behindProxy(() => user);
    await page.goto(`${url}/console/`);
    await page.getByText("eve, read").waitFor();
    await page.getByRole("button", { name: "Create it" }).click();
    expect(await page.getByRole("alert").textContent()).toContain('"write"');
    await page.goto(`${url}/console/#/replays`);
    await page.getByText("Replays need a token with the scope admin.").waitFor();
    user = undefined;
    await page.reload();
    await page.getByLabel("Token").waitFor();
    // Nobody else can sign this user in.
    expect((await send("POST", `${url}/console/session`, { token: "guessed-token" })).status).toBe(401);
  });
});
