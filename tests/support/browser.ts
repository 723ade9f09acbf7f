import { describe } from "bun:test";
import { type Browser, chromium } from "playwright-core";

const executablePath = ["chromium", "chromium-browser", "google-chrome"].map((name) => Bun.which(name)).find((path) => path !== null);
const maySkip = !process.env["NO_SKIP"];

/** `describe` for tests in a real browser: skipped, with the reason, where there is none. */
export function describeWithBrowser(name: string, tests: () => void): void {
  if (executablePath || !maySkip) describe(name, tests);
  else describe.skip(`${name} (skipped: no chromium is installed; on Debian: apt-get install chromium)`, tests);
}

/** The name by which the browser reaches this machine: some of Swagger UI is different on localhost. */
export const host = "warren.test";

/** Starts a browser with a profile of its own that reaches this machine and nothing else. */
export function startBrowser(): Promise<Browser> {
  if (!executablePath) throw new Error("No chromium is installed; on Debian: apt-get install chromium");
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=MAP ${host} 127.0.0.1, MAP * ~NOTFOUND`,
    ],
  });
}
