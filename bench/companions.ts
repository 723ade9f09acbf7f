import { startBrowser } from "../tests/support/browser";
import { environment, run } from "../tests/support/processes";
import type { Context } from "./benchmark";
import { openLogFile } from "./log-file";
import { type Publisher, startProgram, startSqlite } from "./publisher";
import { databaseIn } from "./seeded";
import { keyed, plain, projects, shopIn } from "./shop";

/** Starts Warren with a consumer that changes the record of each new one. */
export async function startWithActing(context: Context): Promise<Publisher> {
  const publisher = await startSqlite(context);
  const env = { ...environment(context.folder, (await context.broker()).url), EVENTS: "0" };
  const consumer = run(["bench/programs/act.ts"], { env });
  await consumer.line("ready");
  const log = openLogFile(databaseIn(context.folder));
  const perRequest = 2;
  return {
    ...publisher,
    perRequest,
    created: async () => perRequest * log.lastItem(),
    async stop() {
      await consumer.stop();
      log.close();
      return publisher.stop();
    },
  };
}

/** Starts Warren with what one tab of the console follows: the status, and the tail of the event log. */
export async function startWithConsole(context: Context): Promise<Publisher> {
  const publisher = await startSqlite(context);
  const leaving = new AbortController();
  const following = ["/status/stream", "/events/stream"].map((path) => follow(publisher.server.url + path, leaving.signal));
  await Promise.all(following.map(({ opened }) => opened));
  return {
    ...publisher,
    async stop() {
      leaving.abort();
      const read = await Promise.all(following.map(({ ended }) => ended));
      if (read.includes(0)) throw new Error("a stream of the console sent nothing");
      return publisher.stop();
    },
  };
}

/** Starts Warren and a browser with the events page of the console. */
export async function startWithBrowser(context: Context): Promise<Publisher> {
  const publisher = await startSqlite(context);
  const browser = await startBrowser();
  const page = await browser.newPage();
  await page.goto(`${publisher.server.url}/console/#/events`);
  // The heading of the page: its stream is open soon.
  await page.getByRole("heading", { level: 1 }).waitFor();
  return {
    ...publisher,
    async stop() {
      await browser.close();
      return publisher.stop();
    },
  };
}

/** Reads a stream until the signal aborts. `ended` resolves with the number of bytes. */
function follow(url: string, signal: AbortSignal): { opened: Promise<unknown>; ended: Promise<number> } {
  const opened = fetch(url, { signal });
  const read = async () => {
    let bytes = 0;
    try {
      const { body } = await opened;
      for await (const chunk of body ?? []) bytes += chunk.length;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return bytes;
  };
  return { opened, ended: read() };
}

/** Starts an API with records that have a unique value, a reference and a rule, or none of them. */
export const startWithKeys = (context: Context) => startShop(context, keyed);
export const startWithoutKeys = (context: Context) => startShop(context, plain);

async function startShop(context: Context, { queue, plural }: typeof keyed | typeof plain): Promise<Publisher> {
  const folder = await shopIn(context.folder, 0);
  const requests = ["post-ticket", `/${plural}`, String(projects)];
  return startProgram({ ...context, folder }, "bench/programs/shop.ts", { queue, elsewhere: projects, requests, perRequest: 1 });
}
