// What people do in the console, in a real browser: sign in, the first event, mend and redrive, follow the tail, and lose the service.
import { expect, setDefaultTimeout, test } from "bun:test";
import { describeWithBrowser } from "../support/browser";
import { type ConsoleTest, useConsole } from "../support/console-browser";
import { deadEvents, deadQueueInFile } from "../support/dead-letters";
import { freePort } from "../support/net";
import { type Api, environment, eventually, run, send, startApi } from "../support/processes";
import { queueConsumers } from "../support/queue-consumer";

setDefaultTimeout(120_000);

const item = { name: "Sample Item", price: 9.99 };

describeWithBrowser("with the console, one", () => {
  let { watched, page, folder } = {} as ConsoleTest;
  useConsole((test) => {
    ({ watched, page, folder } = test);
  });

  const open = async (env: Record<string, string> = {}, link = "") => {
    const api = await startApi({ env: { ...environment(folder.path), ...env } });
    await page.goto(`${api.url}/console/${link}`);
    return api;
  };
  const heading = (name: string) => page.getByRole("heading", { name, exact: true });

  test("signs in with a token, acts as far as it allows, and signs out", async () => {
    const api = await open({ API_TOKEN: "read:reader-token,admin-token" });
    const signIn = async (token: string) => {
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    await signIn("wrong-token");
    expect(await page.getByRole("alert").textContent()).toBe("This is not one of the tokens in API_TOKEN.");
    await signIn("reader-token");
    await page.getByRole("button", { name: "Create it" }).click();
    expect(await page.getByRole("alert").textContent()).toContain('lacks the required scope "write"');
    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn("admin-token");
    await page.getByRole("button", { name: "Create it" }).click();
    await page.getByRole("link", { name: "Show its timeline" }).waitFor();
    await page.reload();
    await heading("Overview").waitFor();
    const [cookie] = await page.context().cookies(`${api.url}/console/`);
    expect(cookie).toMatchObject({ path: "/console", httpOnly: true, sameSite: "Strict" });
    expect(await page.evaluate(async () => (await fetch("../items")).status)).toBe(401);
    // The browser notes each refusal.
    expect(watched.complaints.filter((one) => !/40[13]/.test(one))).toEqual([]);
  });

  test("cannot be used by a page of another port", async () => {
    const api = await open({ API_TOKEN: "admin-token" });
    await page.getByLabel("Token").fill("admin-token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await heading("Nothing has happened yet").waitFor();
    const stranger = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("<p>evil", { headers: { "content-type": "text/html" } }),
    });
    await page.goto(`http://127.0.0.1:${stranger.port}`);
    const tried = await page.evaluate(async (url) => {
      const body = JSON.stringify({ name: "evil" });
      const outcome = (init: RequestInit) =>
        fetch(`${url}/console/api/items`, { method: "POST", credentials: "include", body, ...init }).then(
          ({ status }) => status,
          () => "blocked",
        );
      const plain = await outcome({ mode: "no-cors", headers: { "content-type": "text/plain" } });
      return [plain, await outcome({ headers: { "content-type": "application/json", "x-warren-console": "1" } })];
    }, api.url);
    expect(tried).toEqual(["blocked", "blocked"]);
    await stranger.stop(true);
    const { items } = (await (await fetch(`${api.url}/items`, { headers: { authorization: "Bearer admin-token" } })).json()) as {
      items: unknown[];
    };
    expect(items).toEqual([]);
  });

  test("goes from the first run to a finished timeline by keyboard alone", async () => {
    const api = await open();
    await heading("Nothing has happened yet").waitFor();
    const press = async (name: string) => {
      await eventually(async () => {
        await page.keyboard.press("Tab");
        return page.evaluate<boolean>(`document.activeElement?.textContent?.trim() === ${JSON.stringify(name)}`);
      }, `the focus to reach ${name}`);
      await page.keyboard.press("Enter");
    };
    await press("Create it");
    await page.getByRole("link", { name: "Show its timeline" }).waitFor();
    const logger = run(["consumers/logger.ts"], { env: environment(folder.path) });
    await page.getByText("A consumer is running.").waitFor();
    await press("Show its timeline");
    await page.locator(".lane", { hasText: "item_events" }).getByText("handled", { exact: true }).waitFor();
    expect(await page.title()).toBe("item.created of item 1 · Warren");
    await page.keyboard.press("Control+K");
    await page.keyboard.type("dead");
    await page.keyboard.press("Enter");
    await page.getByText("There are no dead letters.").waitFor();
    // Before the service stops: the page then tries to reach it again, which is refused.
    expect(watched.complaints).toEqual([]);
    await logger.stop();
    await api.stop();
  });

  test("types into a dialog at once: the keys after the one that opens it do not go to the page behind it", async () => {
    await open();
    await heading("Nothing has happened yet").waitFor();
    // A browser gives a page no other key until the promises that were due have run.
    const focused = await page.evaluate<string>(`(async () => {
      dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true }));
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      return document.activeElement.getAttribute("role");
    })()`);
    expect(focused).toBe("combobox");
  });

  test("redrives one, a group and all of 10,000, with progress, and discards only what is confirmed", async () => {
    const queue = "crm";
    const dead = deadQueueInFile(() => folder.path);
    await startFirst(folder.path);
    await dead.fill(queue, deadEvents(10_000));
    const api = await open({}, `#/dead-letters/${queue}`);
    const count = async () => ((await (await fetch(`${api.url}/dead-letters`)).json()) as { queues: { count: number }[] }).queues[0]?.count;
    const letters = page.locator(".letter");
    await letters.first().getByRole("link").click();
    await page.getByRole("complementary").getByRole("button", { name: "Redrive" }).click();
    await page.getByText("Redrove 1 dead letter of crm").waitFor();
    expect(await count()).toBe(9999);
    await page.getByRole("button", { name: "Close" }).last().click();

    await letters.nth(1).getByRole("checkbox").check();
    await letters.nth(2).getByRole("checkbox").check();
    await page.getByRole("button", { name: "Discard…" }).last().click();
    await dead.fill(queue, deadEvents(1));
    await page.getByRole("dialog").getByRole("button", { name: "Discard 2" }).click();
    await page.getByText("Discarded 2 dead letters of crm").waitFor();
    expect(await count()).toBe(9998);

    await page.locator(".group").getByRole("checkbox").first().check();
    await page.getByRole("button", { name: "Discard…" }).last().click();
    expect(
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /^Discard/ })
        .isDisabled(),
    ).toBe(true);
    await page.getByRole("dialog").getByRole("button", { name: "Keep them" }).click();
    await page.getByRole("button", { name: /^Redrive 9,99/ }).click();
    await page
      .getByText(/^Redriving dead letters|^Redrove 9,99/)
      .first()
      .waitFor();
    await page.reload();
    await page.getByText(/^Redrove 9,99\d dead letters of crm/).waitFor();
    await eventually(async () => ((await count()) ?? 9) < 3, "all to be redriven");
    expect(watched.complaints).toEqual([]);
  });

  test("reads the tail: what arrives is shown, unless one points at it, and nothing is missing after the service was away", async () => {
    const port = String(freePort());
    const api = await open({ PORT: port }, "#/events");
    await page.getByText("No event matches.").waitFor();
    const create = async (count: number) => {
      for (let n = 0; n < count; n += 1) expect((await send("POST", `http://127.0.0.1:${port}/items`, item)).status).toBe(201);
    };
    const rows = page.locator(".events tbody tr");
    await create(3);
    await eventually(async () => (await rows.count()) === 3, "three rows");
    await rows.first().hover();
    await create(2);
    await page.getByRole("button", { name: "2 new" }).waitFor();
    expect(await rows.count()).toBe(3);
    await page.mouse.move(0, 0);
    await eventually(async () => (await rows.count()) === 5, "five rows");

    await api.stop("SIGKILL");
    await page.getByText("The service does not answer. Trying again.").waitFor();
    await startApi({ env: { ...environment(folder.path), PORT: port } });
    await create(4);
    await eventually(async () => (await rows.count()) === 9, "nine rows");
    const positions = await rows.locator("td:last-child").allTextContents();
    expect(positions).toEqual(["9", "8", "7", "6", "5", "4", "3", "2", "1"]);
    await page.getByText("The service does not answer.").waitFor({ state: "hidden" });
  });

  test("sees the first events of all once, though they come after the list was read and before its stream is open", async () => {
    const port = String(freePort());
    const create = () => send("POST", `http://127.0.0.1:${port}/items`, item);
    await page.route("**/events/stream*", async (route) => {
      for (let n = 0; n < 3; n += 1) await create();
      await route.continue();
    });
    await open({ PORT: port }, "#/events");
    const rows = page.locator(".events tbody tr");
    await eventually(async () => (await rows.count()) === 3, "three rows");
    await create();
    await eventually(async () => (await rows.count()) >= 4, "a fourth row");
    expect(await rows.locator("td:last-child").allTextContents()).toEqual(["4", "3", "2", "1"]);
  });

  test("replays past events to a queue, after their number, and the consumer gets them again", async () => {
    const consumers = await queueConsumers(environment(folder.path));
    const api = await open({}, "#/replays");
    for (let n = 0; n < 3; n += 1) await send("POST", `${api.url}/items`, item);
    const consumer = await consumers.start({ queue: "stock", events: ["item.*"], startFrom: "beginning" });
    await consumer.untilSeen(3);
    await page.locator("option", { hasText: "stock" }).waitFor({ state: "attached" });
    await page.getByLabel("Queue").selectOption("stock");
    await page.getByLabel("Id of the record").fill("x");
    await page.getByRole("button", { name: "Count them" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Id of the record").fill("2");
    await page.getByLabel("Also what was handled already").check();
    await page.getByRole("button", { name: "Count them" }).click();
    await page.getByText("1 event will be sent to stock.").waitFor();
    await page.getByRole("button", { name: "Replay 1" }).click();
    await page.locator(".replays").getByText("finished").waitFor();
    expect((await consumer.untilSeen(4)).at(-1)).toMatchObject({ item: 2, replay: true });
    await consumer.stop();
    consumers.remove();
    expect(watched.complaints.filter((one) => !one.includes("422"))).toEqual([]);
  });

  /** Makes the log, which the dead letters of a consumer need. */
  async function startFirst(path: string): Promise<void> {
    const api: Api = await startApi({ env: environment(path) });
    await send("POST", `${api.url}/items`, item);
    await api.stop();
  }
});
