// Writes screenshots of every page of the console, in both themes and sizes: bun run console:shots [FOLDER]
// Those of the README are renewed in docs/console/.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startBrowser } from "./support/browser";
import { watchedPage } from "./support/console-browser";
import { startScene } from "./support/console-scene";
import { temporaryFolder } from "./support/folder";
import { endAll, environment, eventually, root, send, startApi } from "./support/processes";
import { empty as answer, WebhookTest } from "./support/webhook";

const target = process.argv[2] ?? join(root, "dist/console");
const inReadme: Readonly<Record<string, string>> = {
  "overview-1440-light": "overview",
  "event-1440-light": "event",
  "dead-letters-1440-dark": "dead-letters",
  "events-1440-dark": "events",
};
const looks = [
  { width: 1440, height: 900, theme: "light" },
  { width: 1440, height: 900, theme: "dark" },
  { width: 390, height: 844, theme: "light" },
] as const;
/** Traffic for so long before the first picture, so that there is something in the charts. */
const trafficMs = 45_000;

const read = async <T>(path: string) => (await (await fetch(scene.url + path)).json()) as T;
for (const folder of [target, join(root, "docs/console")]) mkdirSync(folder, { recursive: true });
const [webhooks, empty] = [new WebhookTest(), temporaryFolder()];
const browser = await startBrowser();
const scene = await startScene({ env: webhooks.env });
// Subscribers: one that takes everything, one that fails now and then, and one that wants no more.
webhooks.subscriber("search");
webhooks.subscriber("partner", (nth) => answer(nth % 5 === 2 ? 503 : 204));
webhooks.subscriber("old-shop", (nth) => answer(nth > 20 ? 410 : 204));
const delivering = await webhooks.start();
const first = await startApi({ env: environment(empty.path) });
// An event that every queue gets, and that the consumer of crm gives up.
await send("PATCH", `${scene.url}/items/8`, { price: 24 });
const { events } = await read<{ events: { event: { id: string } }[] }>("/events?before=end&limit=1");
const changed = events[0]?.event.id ?? "";
await eventually(async () => {
  const { deadLetters } = await read<{ deadLetters: { id: string }[] }>("/dead-letters/crm");
  return deadLetters.some(({ id }) => id === changed);
}, "the dead letter");
// Somebody looks, so that the queues are observed.
const looking = await watchedPage(browser);
await looking.page.goto(`${scene.url}/console/`);
const quiet = new AbortController();
const traffic = (async () => {
  for (let n = 0; !quiet.signal.aborted; n += 1) {
    await send("POST", `${scene.url}/items`, { name: scene.names[n % scene.names.length], price: 9.5 + (n % 20) });
    await Bun.sleep(30 + 25 * Math.sin(n / 40));
  }
})();
await Bun.sleep(trafficMs);
await looking.close();
const pages = [
  { name: "overview", url: `${scene.url}/console/`, shows: ".fails td" },
  { name: "events", url: `${scene.url}/console/#/events`, shows: ".events tbody tr:nth-child(20)" },
  { name: "event", url: `${scene.url}/console/#/events/${changed}`, shows: ".timeline .dead" },
  { name: "dead-letters", url: `${scene.url}/console/#/dead-letters/crm?open=${scene.deadEvent}`, shows: ".inspect .json" },
  { name: "consumers", url: `${scene.url}/console/#/consumers`, shows: ".fails td" },
  { name: "queue", url: `${scene.url}/console/#/consumers/crm`, shows: "#processes" },
  { name: "replays", url: `${scene.url}/console/#/replays`, shows: "form" },
  { name: "webhooks", url: `${scene.url}/console/#/webhooks`, shows: "td .tag.bad" },
  { name: "health", url: `${scene.url}/console/#/health`, shows: ".settings td" },
  { name: "data", url: `${scene.url}/console/#/data/item`, shows: ".records tbody tr:nth-child(20)" },
  { name: "record", url: `${scene.url}/console/#/data/item/1`, shows: ".changes-list li:nth-child(2)" },
  { name: "edit", url: `${scene.url}/console/#/data/item/1/edit`, shows: ".record-form textarea" },
  { name: "topology", url: `${scene.url}/console/#/topology`, shows: ".receivers tbody tr:nth-child(2)" },
  { name: "contracts", url: `${scene.url}/console/#/contracts/item.created`, shows: "#schema" },
  { name: "first-run", url: `${first.url}/console/`, shows: ".step .button.main" },
];
for (const { name, url, shows } of pages) {
  for (const { width, height, theme } of looks) {
    const { page, close } = await watchedPage(browser, { viewport: { width, height }, colorScheme: theme });
    await page.goto(url);
    await page.waitForSelector(shows);
    if (name === "dead-letters") await page.locator(".group input").first().check();
    await page.evaluate("scrollTo(0, 0); document.fonts.ready");
    const file = `${name}-${width}-${theme}`;
    const image = await page.screenshot({ path: join(target, `${file}.png`) });
    if (file in inReadme) await Bun.write(join(root, "docs/console", `${inReadme[file]}.png`), image);
    console.log(join(target, `${file}.png`));
    await close();
  }
  // Its figures are those of a service at work. The other pages hold still.
  if (name === "overview") {
    quiet.abort();
    await traffic;
  }
}
await browser.close();
await delivering.stop();
await scene.stop();
await first.stop();
await endAll();
webhooks.dispose();
empty.remove();
