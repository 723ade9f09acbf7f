// What the tests of the console's page share.
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

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
