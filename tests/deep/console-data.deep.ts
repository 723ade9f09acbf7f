// The pages Data and Topology of the console, in a real browser: lists, forms, lost races, history, and what runs where.
import { expect, setDefaultTimeout, test } from "bun:test";
import { describeWithBrowser } from "../support/browser";
import { type ConsoleTest, useConsole } from "../support/console-browser";
import { deadEvents, deadQueueInFile } from "../support/dead-letters";
import { environment, eventually, send, startApi } from "../support/processes";
import { queueConsumers } from "../support/queue-consumer";

setDefaultTimeout(120_000);

describeWithBrowser("with the console, one", () => {
  let { watched, page, folder } = {} as ConsoleTest;
  useConsole((test) => {
    ({ watched, page, folder } = test);
  });

  const start = (env: Record<string, string> = {}) => startApi({ env: { ...environment(folder.path), ...env } });
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const link = (name: string) => page.getByRole("link", { name, exact: true });
  /** Complaints, without the refusals that a test brings about, which the browser notes. */
  const complaints = (...statuses: number[]) =>
    watched.complaints.filter((one) => !statuses.some((status) => one.includes(String(status))));

  test("makes a record, mends what is wrong with it, changes it, deletes it and restores it", async () => {
    const { url } = await start();
    await page.goto(`${url}/console/#/data/item`);
    await page.getByText("There is no item yet.").waitFor();
    await link("New item").click();
    await page.getByLabel("price").fill("-1");
    await button("Create item").click();
    await page.getByRole("alert").first().waitFor();
    expect(await page.getByLabel("name").getAttribute("aria-invalid")).toBe("true");
    expect(await page.getByLabel("price").getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("name").fill("Brass desk lamp");
    await page.getByLabel("price").fill("39.9");
    await button("Create item").click();
    await page.getByRole("heading", { name: "item 1" }).waitFor();
    expect(await (await fetch(`${url}/items/1`)).json()).toMatchObject({ name: "Brass desk lamp", description: null, price: 39.9 });

    await link("Edit").click();
    await page.getByLabel("description").fill("Made by hand");
    await page.getByLabel("price").fill("");
    await button("Save").click();
    const changes = page.locator(".changes-list li");
    await eventually(async () => (await changes.count()) === 2, "two changes");
    expect(await changes.first().textContent()).toMatch(/item\.updated[\s\S]*price[\s\S]*39\.9[\s\S]*null/);
    expect(await (await fetch(`${url}/items/1`)).json()).toMatchObject({ description: "Made by hand", price: null, version: 2 });

    await button("Delete…").click();
    await button("Keep it").click();
    await button("Delete…").click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("The item 1 was deleted.").waitFor();
    expect((await fetch(`${url}/items/1`)).status).toBe(404);
    await button("Restore it").click();
    await page.getByRole("heading", { name: "item 1" }).waitFor();
    await eventually(async () => (await changes.count()) === 4, "four changes");
    await changes.last().getByRole("link").click();
    await page.locator(".timeline").waitFor();
    expect(complaints(404, 422)).toEqual([]);
  });

  test("does not overwrite what somebody else has changed meanwhile", async () => {
    const { url } = await start();
    const stored = async () => (await (await fetch(`${url}/items/1`)).json()) as { name: string; price: number; version: number };
    await send("POST", `${url}/items`, { name: "Linen apron", price: 20 });
    await page.goto(`${url}/console/#/data/item/1/edit`);
    await page.getByLabel("description").fill("mine");
    await page.getByLabel("price").fill("21");
    await send("PATCH", `${url}/items/1`, { name: "Wool apron", price: 25 });
    await button("Save").click();
    await page.getByText("Not saved: it was changed meanwhile.").waitFor();
    expect(await stored()).toMatchObject({ name: "Wool apron", price: 25, version: 2 });
    expect(await page.locator(".race").textContent()).toMatch(
      /version 1, and is now 2[\s\S]*Linen apron[\s\S]*Wool apron[\s\S]*20[\s\S]*25[\s\S]*you: 21/,
    );
    expect(await button("Save").isDisabled()).toBe(true);
    await button("Put my changes on top").click();
    expect(await page.getByLabel("name").inputValue()).toBe("Wool apron");
    await send("PATCH", `${url}/items/1`, { price: 26 });
    await button("Save").click();
    await page.locator(".race").waitFor();
    await button("Discard mine").click();
    expect(await page.getByLabel("price").inputValue()).toBe("26");
    await page.getByLabel("price").fill("30");
    await button("Save").click();
    await page.getByRole("heading", { name: "item 1" }).waitFor();
    expect(await stored()).toMatchObject({ name: "Wool apron", description: null, price: 30, version: 4 });

    await send("PATCH", `${url}/items/1`, { price: 31 });
    await button("Delete…").click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Not deleted: it was changed meanwhile.").waitFor();
    await page.locator(".facts.record").getByText("31", { exact: true }).waitFor();
    await link("Edit").click();
    await page.getByLabel("price").fill("32");
    await send("DELETE", `${url}/items/1`);
    await button("Save").click();
    await page.getByText("The item 1 was deleted meanwhile.").waitFor();
    expect(complaints(404, 412)).toEqual([]);
  });

  test("is asked before leaving a form with changes, and stays or goes", async () => {
    const { url } = await start();
    await send("POST", `${url}/items`, { name: "Linen apron" });
    await page.goto(`${url}/console/#/data/item/1`);
    await link("Edit").click();
    const description = page.getByLabel("description");
    const question = page.getByRole("dialog", { name: "Leave without saving?" });
    await description.fill("mine");
    await link("Overview").click();
    await button("Stay").click();
    await question.waitFor({ state: "detached" });
    expect([await description.inputValue(), new URL(page.url()).hash]).toEqual(["mine", "#/data/item/1/edit"]);
    await page.goBack();
    await question.waitFor();
    await page.keyboard.press("Escape");
    expect([await description.inputValue(), new URL(page.url()).hash]).toEqual(["mine", "#/data/item/1/edit"]);
    // The browser asks before the tab is closed or loaded again.
    const asked = page.waitForEvent("dialog");
    const reloaded = page.reload();
    const dialog = await asked;
    expect(dialog.type()).toBe("beforeunload");
    await dialog.accept();
    await reloaded;
    expect(await description.inputValue()).toBe("");
    // What is as it was can be left.
    await description.fill("mine");
    await description.fill("");
    await link("Topology").click();
    await page.getByRole("heading", { name: "Topology", exact: true }).waitFor();
    await page.goBack();
    await description.fill("mine");
    await link("Cancel").click();
    await button("Leave").click();
    await page.getByRole("heading", { name: "item 1" }).waitFor();
    await link("items").click();
    await link("New item").click();
    await page.getByLabel("name").fill("Oak ruler");
    await link("Events").click();
    await button("Leave").click();
    await page.getByRole("heading", { name: "Events", exact: true }).waitFor();
    expect(await (await fetch(`${url}/items/1`)).json()).toMatchObject({ description: null, version: 1 });
    expect(complaints()).toEqual([]);
  });

  test("finds records by filters and order, and goes through the pages", async () => {
    const { url } = await start();
    const lines = Array.from({ length: 120 }, (_, index) =>
      JSON.stringify({ name: `${index % 2 ? "Mug" : "Tote"} ${index}`, price: index }),
    );
    const body = `${lines.join("\n")}\n`;
    expect((await fetch(`${url}/items/bulk`, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body })).status).toBe(
      200,
    );
    await page.goto(`${url}/console/#/data`);
    const ids = () => page.locator(".records td:first-child").allTextContents();
    const shown = (count: number, first: string) =>
      eventually(async () => {
        const all = await ids();
        return all.length === count && all[0] === first;
      }, `${count} records from ${first}`);
    await shown(50, "120");
    await link("Next page").click();
    await shown(50, "70");
    await page.goBack();
    await shown(50, "120");
    await link("Next page").click();
    await shown(50, "70");
    await link("Next page").click();
    await shown(20, "20");
    expect(await link("Next page").count()).toBe(0);
    await button("Count them").click();
    await page.getByText("120 records").waitFor();

    // What one types stays, though the page is renewed every second.
    const begins = page.getByLabel("name begins with");
    await begins.pressSequentially("Mu");
    await send("POST", `${url}/items`, { name: "Cup", price: 1 });
    await deadQueueInFile(() => folder.path).fill("crm", deadEvents(1));
    await page.locator(".places .count").waitFor();
    expect(await begins.inputValue()).toBe("Mu");
    await begins.press("g");
    await begins.press("Enter");
    await shown(50, "120");
    await page.getByLabel("price from").fill("100");
    await page.getByLabel("price from").press("Enter");
    await shown(10, "120");
    await page.getByLabel("Order").selectOption("id");
    await shown(10, "102");
    expect(new URL(page.url()).hash).toBe("#/data/item?name=Mug&minPrice=100&sort=id");
    await page.reload();
    await shown(10, "102");
    await page.getByLabel("price from").fill("much");
    await page.getByLabel("price from").press("Enter");
    await page.getByRole("alert").waitFor();
    await button("Clear").click();
    await shown(50, "121");
    expect(complaints(422)).toEqual([]);
  });

  test("has no buttons for what a token does not allow", async () => {
    const { url } = await start({ API_TOKEN: "read:reader-token,admin-token" });
    const headers = { "content-type": "application/json", authorization: "Bearer admin-token" };
    await fetch(`${url}/items`, { method: "POST", headers, body: '{"name":"Oak ruler"}' });
    await page.goto(`${url}/console/#/data/item/1`);
    await page.getByLabel("Token").fill("reader-token");
    await button("Sign in").click();
    await page.locator(".changes-list li").waitFor();
    await page.getByRole("heading", { name: "item 1" }).waitFor();
    expect([await link("Edit").count(), await button("Delete…").count()]).toEqual([0, 0]);
    await link("items").click();
    await page.locator(".records td").first().waitFor();
    expect(await link("New item").count()).toBe(0);
    expect(complaints(401)).toEqual([]);
  });

  test("sees which events go where, and what waits there", async () => {
    const consumers = await queueConsumers(environment(folder.path));
    const { url } = await start();
    await send("POST", `${url}/items`, { name: "Enamel mug" });
    const consumer = await consumers.start({ queue: "stock", events: ["item.created"], startFrom: "beginning" });
    await consumer.untilSeen(1);
    await page.goto(`${url}/console/#/topology`);
    const node = (name: string) => page.locator(".topology .node", { hasText: name });
    await node("stock").last().getByText("1 running").waitFor();
    await page.locator(".arriving", { hasText: "0 waiting" }).waitFor();
    await page.locator(".receivers").getByText("item.created").waitFor();
    await node("Event log").hover();
    await page.locator(".topology path.near").first().waitFor({ state: "attached" });
    await consumer.stop();
    await page.getByText("1 running").waitFor({ state: "hidden" });
    await send("POST", `${url}/items`, { name: "Wool blanket" });
    await page.locator(".arriving", { hasText: "1 waiting" }).waitFor();
    consumers.remove();
    expect(complaints()).toEqual([]);
  });
});
