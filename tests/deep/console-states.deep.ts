// Dead letters in the console while much goes on around them, in a real browser.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "amqplib";
import { describeWithBrowser } from "../support/browser";
import { accessibilityFaults, type ConsoleTest, useConsole } from "../support/console-browser";
import { deadLetters, startScene } from "../support/console-scene";
import { deadEvents, deadQueueInFile } from "../support/dead-letters";
import { environment, eventually, send, startApi } from "../support/processes";
import { queueConsumers, untilDead } from "../support/queue-consumer";
import { describeWithRabbit, useRabbit } from "../support/rabbit";

setDefaultTimeout(120_000);

let { watched, page, folder } = {} as ConsoleTest;

/** Lets each test have a browser's page and a folder. */
function withPage(): void {
  afterEach(() => expect(watched.complaints).toEqual([]));
  useConsole((test) => {
    ({ watched, page, folder } = test);
  });
}

const button = (name: string | RegExp) => page.getByRole("button", { name });

describeWithBrowser("with dead letters in the console, one", () => {
  withPage();
  /** More than are redriven until one stops it, however slow the machine makes the browser. */
  const many = 60_000;

  test("keeps an open stack, what is selected in it and what is chosen, through ten updates", async () => {
    const scene = await startScene({ env: environment(folder.path) });
    await page.goto(`${scene.url}/console/#/dead-letters/crm?open=${scene.deadEvent}`);
    const chosen = page.locator(".letter").first().getByRole("checkbox");
    await chosen.check();
    await button("Show 1 more").click();
    await button("Show 1 more").waitFor({ state: "hidden" });
    await page.getByRole("tab", { name: "Stack" }).click();
    const stack = await page.locator(".inspect pre").elementHandle();
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.inspect pre'))");
    const selected = await page.evaluate("String(getSelection())");
    expect(selected).toContain("the warehouse does not answer");

    // Each is in an update of its own, as the stream sends one per second.
    for (let count = 1; count <= 10; count += 1) {
      await send("POST", `${scene.url}/items`, { name: "crash" });
      await button(`Show ${count} new`).waitFor();
    }
    expect(await page.evaluate("String(getSelection())")).toBe(selected as string);
    expect(await stack?.evaluate((element) => element.isConnected)).toBe(true);
    expect([await chosen.isChecked(), await page.locator(".letter").count()]).toEqual([true, deadLetters]);
    await page.getByText("1 chosen of 9.").waitFor();
    await button("Show 10 new").click();
    await page.getByText("1 chosen of 19.").waitFor();
    // An open page would miss the service at once, which the browser notes.
    await page.close();
    await scene.stop();
  });

  test("goes through a group of hundreds, and stops the redrive of more than are counted", async () => {
    const dead = deadQueueInFile(() => folder.path);
    const first = await startApi({ env: environment(folder.path) });
    await send("POST", `${first.url}/items`, { name: "Makes the log" });
    await first.stop();
    await dead.fill("crm", deadEvents(many));
    const api = await startApi({ env: environment(folder.path) });
    await page.goto(`${api.url}/console/#/dead-letters/crm`);
    const letters = page.locator(".letter");
    for (const count of [56, 106, 156, 206, 256]) {
      await button("Show 50 more").click();
      await eventually(async () => (await letters.count()) === count, `${count} letters`);
    }
    const ids = await letters.evaluateAll((elements) => elements.map((element) => element.getAttribute("data-id")));
    expect(new Set(ids).size).toBe(256);
    await page.locator(".group").getByRole("checkbox").check();
    await button("Discard…").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("heading", { name: "Discard 10,000 or more dead letters of crm?" }).waitFor();
    await dialog.getByRole("button", { name: "Keep them" }).click();
    await button("Redrive 10,000 or more").click();
    await button("Stop").click();
    const title = page.getByText(/^Redrove [\d,]+ dead letters? of crm, then stopped$/);
    await title.waitFor();
    const done = Number(((await title.textContent()) ?? "").replaceAll(/\D/g, ""));
    expect(done).toBeLessThan(many);
    expect(await dead.depth("crm")).toBe(many - done);
    await page.getByText("The rest stays as it is.").waitFor();
  });
});

describeWithBrowser("a dead letter that is not JSON", () => {
  describeWithRabbit("on RabbitMQ", () => {
    const rabbit = useRabbit();
    withPage();

    test("is shown as text or in base64, and is redriven and discarded, also if it has no id", async () => {
      const env = environment(folder.path, rabbit().url);
      const api = await startApi({ env });
      const consumers = await queueConsumers(env);
      const consumer = await consumers.start({ queue: "crm", events: ["item.*"] });
      const connection = await connect(rabbit().url);
      const channel = await connection.createConfirmChannel();
      const [text, ...withoutId] = ["<b>not JSON</b>", "not JSON, the first without", "not JSON, the second without"] as const;
      channel.sendToQueue("crm", Buffer.from(text), { messageId: "of-somebody-else" });
      channel.sendToQueue("crm", Buffer.from([0xff, 0xfe, 0x00, 0x01]), { messageId: "of-bytes" });
      await untilDead(api.url, "crm", 2);
      // A consumer gives what it cannot read an id. RabbitMQ does not, if it gives a message up itself.
      for (const one of withoutId) channel.sendToQueue("crm.dead", Buffer.from(one));
      await untilDead(api.url, "crm", 4);

      await page.goto(`${api.url}/console/#/dead-letters/crm`);
      const inspector = page.locator(".inspect");
      const open = async (about: string, nth = 0) => {
        await page.locator(".letter", { hasText: about }).nth(nth).getByRole("link").click();
        await inspector.waitFor();
      };
      await open("of-somebody-else");
      await inspector.getByText(text, { exact: true }).waitFor();
      await inspector.getByText("As text:").waitFor();
      await open("of-bytes");
      await inspector.getByText("//4AAQ==").waitFor();
      await inspector.getByText("It is not text. In base64:").waitFor();
      for (const [nth, one] of withoutId.entries()) {
        await open("no id", nth);
        await inspector.getByText(one, { exact: true }).waitFor();
        await page.reload();
        await inspector.getByText(one, { exact: true }).waitFor();
      }
      expect(await accessibilityFaults(page)).toEqual([]);

      // It comes back, since the consumer still cannot read it.
      await open("of-somebody-else");
      await inspector.getByRole("button", { name: "Redrive" }).click();
      await page.getByText("Redrove 1 dead letter of crm").waitFor();
      await untilDead(api.url, "crm", 4);
      await page.reload();
      await open("of-bytes");
      await inspector.getByRole("button", { name: "Discard…" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Discard 1" }).click();
      await page.getByText("Discarded 1 dead letter of crm").waitFor();
      await untilDead(api.url, "crm", 3);
      await page.getByRole("checkbox", { name: /^Choose all 2 / }).check();
      await page.getByRole("region", { name: "Chosen dead letters" }).getByRole("button", { name: "Discard…" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Discard 2" }).click();
      await page.getByText("Discarded 2 dead letters of crm").waitFor();
      await untilDead(api.url, "crm", 1);
      await connection.close();
      await consumer.stop();
      consumers.remove();
    });
  });
});
