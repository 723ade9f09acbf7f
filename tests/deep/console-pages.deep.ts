// Every page of the console in a real browser: how it looks to a policy, to axe-core, on a phone, in the dark, and behind a proxy.
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { describeWithBrowser, startBrowser } from "../support/browser";
import { accessibilityFaults, sidewaysScroll, type Watched, watchedPage } from "../support/console-browser";
import { type Scene, startScene } from "../support/console-scene";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, run, send, startApi } from "../support/processes";

setDefaultTimeout(120_000);

const looks = [
  { width: 1440, height: 900, theme: "light" },
  { width: 1440, height: 900, theme: "dark" },
  { width: 390, height: 844, theme: "light" },
  { width: 390, height: 844, theme: "dark" },
] as const;

describeWithBrowser("the pages of the console", () => {
  let browser: Browser;
  let folder: ReturnType<typeof temporaryFolder>;
  let scene: Scene;
  let watched: Watched | undefined;

  beforeAll(async () => {
    browser = await startBrowser();
    folder = temporaryFolder();
    scene = await startScene({ env: environment(folder.path) });
  });
  afterEach(() => watched?.close());
  afterAll(async () => {
    await browser?.close();
    await scene?.stop();
    await endAll();
    folder?.remove();
  });

  /** The pages, with what each shows when it is complete. */
  const pages = () =>
    [
      { name: "overview", link: "#/", shows: "table .tag.bad" },
      { name: "events", link: "#/events", shows: ".events tbody tr:nth-child(10)" },
      { name: "event", link: `#/events/${scene.deadEvent}`, shows: ".timeline .dead" },
      { name: "dead letters", link: `#/dead-letters/crm?open=${scene.deadEvent}`, shows: ".inspect .json" },
      { name: "consumers", link: "#/consumers", shows: ".fails td" },
      { name: "a queue", link: "#/consumers/crm", shows: "#processes" },
      { name: "no such queue", link: "#/consumers/nothing", shows: ".notice" },
      { name: "webhooks without a subscription", link: "#/webhooks", shows: ".command" },
      { name: "health", link: "#/health", shows: ".settings td" },
      { name: "replays", link: "#/replays", shows: "form" },
      { name: "data", link: "#/data/item", shows: ".records tbody tr:nth-child(10)" },
      { name: "record", link: "#/data/item/1", shows: ".changes-list li:nth-child(2)" },
      { name: "new record", link: "#/data/item/new", shows: ".record-form textarea" },
      { name: "edit", link: "#/data/item/1/edit", shows: ".record-form textarea" },
      { name: "topology", link: "#/topology", shows: ".receivers tbody tr:nth-child(2)" },
      { name: "contracts", link: "#/contracts/item.created", shows: "#schema" },
      { name: "no such event", link: "#/events/00000000-0000-0000-0000-000000000000", shows: ".notice.bad" },
    ] as const;

  describe.each(looks)("$width pixels wide, $theme", ({ width, height, theme }) => {
    test("no violation, no error, no foreign request, nothing for axe-core to find, and no sideways scroll", async () => {
      watched = await watchedPage(browser, { viewport: { width, height }, colorScheme: theme });
      const { page, origins, complaints } = watched;
      for (const { name, link, shows } of pages()) {
        await page.goto(`${scene.url}/console/${link}`);
        await page.waitForSelector(shows);
        expect([name, await accessibilityFaults(page)]).toEqual([name, []]);
        expect([name, await sidewaysScroll(page)]).toEqual([name, 0]);
        // The browser itself notes the answer 404.
        expect([name, complaints.splice(0).filter((one) => name !== "no such event" || !one.includes("404"))]).toEqual([name, []]);
      }
      expect([...origins]).toEqual([scene.url]);
    });
  });

  test("what is in an event is text, whatever it says", async () => {
    const name = '<img src=x onerror="document.title=1">\u202e<b>right to left</b>';
    const created = await send("POST", `${scene.url}/items`, { name });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: number };
    const { events } = (await (await fetch(`${scene.url}/events?before=end&limit=1`)).json()) as { events: { event: { id: string } }[] };
    watched = await watchedPage(browser);
    const { page, complaints } = watched;
    for (const link of ["#/events", `#/events/${events[0]?.event.id}`, "#/data/item", `#/data/item/${id}`]) {
      await page.goto(`${scene.url}/console/${link}`);
      await page.getByText("<b>right to left</b>").first().waitFor();
      expect(await page.locator("main img, main b:has-text('right to left')").count()).toBe(0);
    }
    expect(complaints).toEqual([]);
  });

  test("/asyncapi leads to the contracts, with every event type", async () => {
    watched = await watchedPage(browser);
    const { page, complaints } = watched;
    await page.goto(`${scene.url}/asyncapi`);
    await page.waitForSelector("#schema");
    const { eventTypes } = (await (await fetch(`${scene.url}/catalogue`)).json()) as { eventTypes: { type: string }[] };
    const shown = await page.locator(".contracts > nav a").allTextContents();
    expect(shown.map((text) => text.split(" ")[0])).toEqual(eventTypes.map(({ type }) => type));
    await page.getByRole("link", { name: "item.deleted" }).click();
    await page.getByRole("heading", { name: "item.deleted" }).waitFor();
    await page.getByText("audit", { exact: true }).first().waitFor();
    expect(complaints).toEqual([]);
  });

  test("below a path of a proxy, without a setting", async () => {
    const prefix = "/ops/warren";
    const proxy = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      async fetch(request) {
        const { pathname, search } = new URL(request.url);
        if (!pathname.startsWith(`${prefix}/`)) return new Response("not mine", { status: 404 });
        const headers = new Headers(request.headers);
        headers.delete("host");
        const body = request.method === "GET" ? null : await request.arrayBuffer();
        return fetch(`${scene.url}${pathname.slice(prefix.length)}${search}`, {
          method: request.method,
          headers,
          body,
          redirect: "manual",
          decompress: false,
          signal: request.signal,
        });
      },
    });
    watched = await watchedPage(browser);
    const { page, complaints } = watched;
    await page.goto(`http://127.0.0.1:${proxy.port}${prefix}/`);
    await page.waitForSelector("table .tag.bad");
    expect(new URL(page.url()).pathname).toBe(`${prefix}/console/`);
    await page.getByRole("link", { name: "Events" }).first().click();
    await page.waitForSelector(".events tbody tr:nth-child(5)");
    expect(complaints).toEqual([]);
    await watched.close();
    await proxy.stop(true);
  });

  test("in the executable", async () => {
    const program = join(folder.path, "warren");
    const build = run(["src/commands/build.ts", "--outfile", program]);
    expect(await build.exited).toBe(0);
    const api = await startApi({ program, env: environment(join(folder.path, "elsewhere")), cwd: folder.path });
    watched = await watchedPage(browser);
    const { page, origins, complaints } = watched;
    await page.goto(api.url);
    await page.getByRole("heading", { name: "Nothing has happened yet" }).waitFor();
    expect(await page.evaluate(`document.fonts.check("16px Geist") && document.fonts.check("16px 'Geist Mono'")`)).toBe(true);
    await page.getByRole("button", { name: "Create it" }).click();
    await page.getByRole("link", { name: "Show its timeline" }).click();
    await page.waitForSelector(".timeline .done");
    expect([[...origins], complaints]).toEqual([[api.url], []]);
    await api.stop();
  });
});
