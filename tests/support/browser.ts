import { describe } from "bun:test";
import { type Browser, chromium } from "playwright-core";

const executablePath = ["chromium", "chromium-browser", "google-chrome"].map((name) => Bun.which(name)).find((path) => path !== null);

export const isBrowserInstalled = executablePath !== undefined;

const maySkip = !process.env["NO_SKIP"];

/** Same as `describe`, for tests in a real browser. Skips them, with the reason, if no browser is installed. */
export function describeWithBrowser(name: string, tests: () => void): void {
  if (executablePath || !maySkip) describe(name, tests);
  else describe.skip(`${name} (skipped: no chromium is installed; on Debian: apt-get install chromium)`, tests);
}

/** Host name by which the browser reaches this machine. Swagger UI behaves differently on localhost. */
export const host = "warren.test";

/** Starts a browser with a fresh profile that can reach this machine only. */
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
      `--host-resolver-rules=MAP ${host} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    ],
  });
}
