// What the tests of the console's page share.
import { afterAll, afterEach, beforeAll, beforeEach } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { startBrowser } from "./browser";
import { temporaryFolder } from "./folder";
import { endAll } from "./processes";

/** A page of the console, and everything that a browser says against it. */
export interface Watched {
  readonly page: Page;
  /** Origins of all requests. */
  readonly origins: Set<string>;
  /** Errors, warnings and violations of the page's policy. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export async function watchedPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const [origins, complaints] = [new Set<string>(), [] as string[]];
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('Policy', event.violatedDirective, event.blockedURI))",
  );
  return { page, origins, complaints, close: () => context.close() };
}

/** A page and a folder for one test. */
export interface ConsoleTest {
  readonly watched: Watched;
  readonly page: Page;
  readonly folder: ReturnType<typeof temporaryFolder>;
}

/**
 * Passes a page and a folder to `begin` before each test of the surrounding block. All its tests share one browser. After each test, the page is closed
 * first, then all processes end.
 */
export function useConsole(begin: (test: ConsoleTest) => void): void {
  let browser: Browser | undefined;
  let test: ConsoleTest;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    const watched = await watchedPage(browser as Browser);
    test = { watched, page: watched.page, folder: temporaryFolder() };
    begin(test);
  });
  afterEach(async () => {
    await test.watched.close();
    await endAll();
    test.folder.remove();
  });
}

const axe = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();

/** Returns what axe-core finds wrong with a page, as lines that name the elements. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: { run(): Promise<Axe> } }).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
  });
}

interface Axe {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** Returns by how many pixels a page is wider than its window. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - innerWidth");
}
