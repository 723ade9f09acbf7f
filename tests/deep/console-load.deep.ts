// The console's tail when very much happens, in a real browser.
import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { describeWithBrowser, startBrowser } from "../support/browser";
import { type Watched, watchedPage } from "../support/console-browser";
import { type Feeder, startFeeder } from "../support/event-feeder";
import { temporaryFolder } from "../support/folder";
import { memoryOf, recordMainThreads } from "../support/main-thread";
import { endAll, environment, eventually, startApi } from "../support/processes";

setDefaultTimeout(300_000);

const perSecond = 1000;
const mostRows = 500;

describeWithBrowser("the tail at a thousand events per second", () => {
  let browser: Browser;
  let folder: ReturnType<typeof temporaryFolder>;
  let watched: Watched;
  let page: Page;
  let feeder: Feeder;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    folder = temporaryFolder();
    const api = await startApi({ env: environment(folder.path) });
    feeder = startFeeder(api.url, perSecond);
    watched = await watchedPage(browser);
    page = watched.page;
    await page.goto(`${feeder.url}/console/#/events`);
  });
  afterEach(async () => {
    await watched.close();
    await feeder.stop();
    await endAll();
    folder.remove();
  });

  const positions = async () =>
    (await page.locator(".events tbody td:last-child").allTextContents()).map((text) => Number(text.replaceAll(",", "")));
  const newest = async (position: number) =>
    eventually(async () => (await positions())[0] === position && positions(), `the event at ${position} to be shown`);

  test("for a minute: a bounded heap, tasks below 50 ms, and the newest 500 rows without a gap, also after a pause", async () => {
    const session = await page.context().newCDPSession(page);
    await newest(await feeder.feed(5 * perSecond));
    const before = await memoryOf(session);
    const end = await recordMainThreads(browser);
    await newest(await feeder.feed(25 * perSecond));
    await page.locator(".events tbody tr").nth(3).hover();
    const whilePaused = await positions();
    await feeder.feed(10 * perSecond);
    await page.getByRole("button", { name: "10,000 new" }).waitFor();
    expect(await positions()).toEqual(whilePaused);
    await page.mouse.move(0, 0);
    const last = await feeder.feed(25 * perSecond);
    const shown = await newest(last);
    const { tasks, longestMs, long } = await end();
    const after = await memoryOf(session);
    expect(shown).toEqual(Array.from({ length: mostRows }, (_, n) => last - n));
    expect(tasks).toBeGreaterThan(1000);
    // Beside other programs even the CPU time of the same work doubles now and then: caches and cores are shared. Rows that cost too much
    // make long tasks all the time, about one per second, not a few.
    expect(long).toBeLessThanOrEqual(5);
    expect(longestMs).toBeLessThan(100);
    // What came weighs 20 MB.
    expect(after.heapBytes - before.heapBytes).toBeLessThan(2_000_000);
    expect(after.nodes - before.nodes).toBeLessThan(mostRows);
    expect(watched.complaints).toEqual([]);
  });
});
