// A session that ends while the console is open, in a real browser.
import { expect, setDefaultTimeout, test } from "bun:test";
import { describeWithBrowser, host } from "../support/browser";
import { accessibilityFaults, type ConsoleTest, useConsole } from "../support/console-browser";
import { deadEvents, deadQueueInFile } from "../support/dead-letters";
import { freePort } from "../support/net";
import { environment, eventually, startApi } from "../support/processes";

setDefaultTimeout(120_000);

const tokens = "read:reader-token,admin-token";

describeWithBrowser("with the console open, one whose session ends", () => {
  let { watched, page, folder } = {} as ConsoleTest;
  useConsole((test) => {
    ({ watched, page, folder } = test);
  });

  const start = (env: Record<string, string> = {}) => startApi({ env: { ...environment(folder.path), API_TOKEN: tokens, ...env } });
  const signIn = async (token: string) => {
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  const dialog = () => page.getByRole("dialog", { name: "Sign in again" });
  /** Ends the session as its cookie does after 12 hours, when the browser removes it. */
  const end = () => page.context().clearCookies();
  const create = (url: string, name: string, token = "admin-token") =>
    fetch(`${url}/items`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ name }),
    });
  /** Apart from refusals, which the browser notes. */
  const complaints = () => watched.complaints.filter((one) => !/401|ERR_/.test(one));
  const openDeadLetters = async () => {
    const api = await start();
    await create(api.url, "first");
    await deadQueueInFile(() => folder.path).fill("crm", deadEvents(12));
    await page.goto(`${api.url}/console/#/dead-letters/crm`);
    await signIn("admin-token");
    await page.locator(".letter").nth(1).getByRole("checkbox").check();
    await page.locator(".letter").nth(2).getByRole("checkbox").check();
    await page.locator(".letter").nth(3).getByRole("link").click();
    await page.locator(".inspect .json").waitFor();
    return api;
  };

  test("signs in again and goes on: what was chosen and open is still there, and nothing was done meanwhile", async () => {
    await openDeadLetters();
    const [place, opened] = [page.url(), await page.locator(".inspect dd .link").first().textContent()];
    await end();
    await page.getByRole("button", { name: "Redrive 2" }).click();
    await dialog().waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    // The page is hidden, and no key gets past the dialog.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+K");
    expect(await page.getByRole("dialog").count()).toBe(1);
    await signIn("wrong-token");
    await dialog().getByRole("alert").waitFor();
    await signIn("admin-token");
    await dialog().waitFor({ state: "hidden" });
    expect(await page.getByRole("alert").textContent()).toBe("Your session had ended, so nothing was changed. Try again.");
    expect([page.url(), await page.locator(".inspect dd .link").first().textContent()]).toEqual([place, opened]);
    await page.getByText("2 chosen").waitFor();
    await page.getByRole("button", { name: "Redrive 2" }).click();
    await page.getByText("Redrove 2 dead letters of crm").waitFor();
    expect(complaints()).toEqual([]);
  });

  test("loses no text of a form, which is saved after signing in", async () => {
    const api = await start();
    await page.goto(`${api.url}/console/#/data/item/new`);
    await signIn("admin-token");
    await page.getByLabel("name").fill("Written before the end");
    await end();
    await page.getByRole("button", { name: "Create item" }).click();
    await dialog().waitFor();
    await signIn("admin-token");
    await dialog().waitFor({ state: "hidden" });
    expect(await page.getByLabel("name").inputValue()).toBe("Written before the end");
    await page.getByRole("button", { name: "Create item" }).click();
    await page.getByRole("heading", { name: "item 1" }).waitFor();
    expect(complaints()).toEqual([]);
  });

  test("whose token is removed sees the tail go on without a gap, after signing in with another", async () => {
    const port = String(freePort());
    const api = await start({ PORT: port });
    await page.goto(`${api.url}/console/#/events`);
    await signIn("admin-token");
    await page.getByText("No event matches.").waitFor();
    await create(api.url, "before");
    const rows = page.locator(".events tbody tr");
    await eventually(async () => (await rows.count()) === 1, "the first row");
    await api.stop();
    await start({ PORT: port, API_TOKEN: "new-token" });
    for (const name of ["one", "two", "three"]) await create(api.url, name, "new-token");
    await dialog().waitFor();
    await signIn("new-token");
    await dialog().waitFor({ state: "hidden" });
    await eventually(async () => (await rows.count()) === 4, "all rows");
    expect(await rows.locator("td:last-child").allTextContents()).toEqual(["4", "3", "2", "1"]);
    await page.getByText("The service does not answer.").waitFor({ state: "hidden" });
    expect(complaints()).toEqual([]);
  });

  test("is not used by a page of another site, which cannot show the console either", async () => {
    const api = await start();
    await page.goto(`${api.url}/console/`);
    await signIn("admin-token");
    await page.getByRole("heading", { name: "Nothing has happened yet" }).waitFor();
    const frame = `<iframe src="${api.url}/console/"></iframe>`;
    const stranger = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response(frame, { headers: { "content-type": "text/html" } }),
    });
    await page.goto(`http://${host}:${stranger.port}`);
    const tried = await page.evaluate(async (url) => {
      const outcome = (init: RequestInit) =>
        fetch(`${url}/console/api/items`, { method: "POST", credentials: "include", body: JSON.stringify({ name: "evil" }), ...init }).then(
          ({ status }) => status,
          () => "blocked",
        );
      const plain = await outcome({ mode: "no-cors", headers: { "content-type": "text/plain" } });
      return [plain, await outcome({ headers: { "content-type": "application/json", "x-warren-console": "1" } })];
    }, api.url);
    // An answer that the page cannot read has the status 0.
    expect([0, "blocked"]).toContain(tried[0] as number | string);
    expect(tried[1]).toBe("blocked");
    expect(page.frames().map((one) => one.url())).not.toContain(`${api.url}/console/`);
    await stranger.stop(true);
    const items = await fetch(`${api.url}/items`, { headers: { authorization: "Bearer admin-token" } });
    expect(await items.json()).toMatchObject({ items: [] });
  });

  test("leaves nothing to somebody else who signs in then", async () => {
    await openDeadLetters();
    await end();
    await page.getByRole("button", { name: "Redrive 2" }).click();
    await dialog().waitFor();
    await signIn("reader-token");
    await page.getByText("Dead letters need a token with the scope admin.").waitFor();
    expect(await page.locator(".letter, .inspect").count()).toBe(0);
    expect(complaints()).toEqual([]);
  });
});
