// Subscribers that want no more events, and the commands of the webhook consumer.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Api, endAll, run, startApi } from "../support/processes";
import { empty, WebhookTest } from "../support/webhook";

setDefaultTimeout(60_000);

let it: WebhookTest;
beforeEach(() => {
  it = new WebhookTest();
});
afterEach(async () => {
  await endAll();
  it.dispose();
});

describe("a subscriber that answers 410 Gone", () => {
  let api: Api;
  beforeEach(async () => {
    api = await startApi({ env: it.env });
  });

  test("gets nothing more, also after a restart, and the log says how to go on", async () => {
    const gone = it.subscriber("gone", () => empty(410));
    const good = it.subscriber("good");
    let webhook = await it.start();
    await it.createItems(api, 1);
    const line = await webhook.logged("gone", "is disabled");
    const [got] = await good.until(1);
    const { timestamp } = JSON.parse(got?.body ?? "{}") as { timestamp: string };
    expect(line.level).toBe("warn");
    expect(line.msg).toContain("bun run consumers/webhook.ts --enable gone");
    expect(line.msg).toContain(`bun run replay --queue webhook.gone --from ${timestamp}`);
    await it.createItems(api, 2);
    await good.until(3);
    expect(await webhook.stop()).toBe(0);

    webhook = await it.start();
    await it.createItems(api, 2);
    await good.until(5);
    expect(await webhook.stop()).toBe(0);
    expect(gone.received).toHaveLength(1);
    expect([good.received.length, webhook.about("gone").length]).toEqual([5, 1]);
    const check = it.command(["--check"]);
    expect(await check.exited).toBe(0);
    expect(check.stdout.join("\n")).toContain("gone is disabled because it responded with 410 Gone");
    expect(check.stdout.join("\n")).toContain("good: item.* to http://127.0.0.1:");
  });

  test("is logged once, even if several concurrent deliveries get it", async () => {
    const all = Promise.withResolvers<void>();
    const gone = it.subscriber("gone", async (nth) => {
      if (nth === 5) all.resolve();
      await all.promise;
      return empty(410);
    });
    const webhook = await it.start();
    await it.createItems(api, 5);
    await gone.until(5);
    await webhook.logged("gone", "is disabled");
    expect(await webhook.stop()).toBe(0);
    expect(webhook.about("gone").filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  test("is served again by --enable, while the consumer runs", async () => {
    const moody = it.subscriber("moody", (nth) => empty(nth === 1 ? 410 : 204));
    const webhook = await it.start();
    await it.createItems(api, 1);
    await webhook.logged("moody", "is disabled");
    const enable = it.command(["--enable", "moody"]);
    expect(await enable.exited).toBe(0);
    expect(enable.stdout.join("\n")).toContain(
      "moody is enabled. To send the missed events, run: bun run replay --queue webhook.moody --from ",
    );
    await it.createItems(api, 1);
    await moody.until(2);
    expect(moody.received[1]?.event.item.id).toBe(2);
  });

  test("is served again when its entry has changed", async () => {
    const moody = it.subscriber("moody", (nth) => empty(nth === 1 ? 410 : 204));
    let webhook = await it.start();
    await it.createItems(api, 1);
    await webhook.logged("moody", "is disabled");
    expect(await webhook.stop()).toBe(0);
    it.change("moody", { url: `${moody.url}/moved` });
    webhook = await it.start();
    await it.createItems(api, 1);
    await moody.until(2);
    expect(moody.received[1]?.event.item.id).toBe(2);
  });
});

describe("the command line", () => {
  test("--check and the start list every mistake, and show no secret", async () => {
    it.add({ name: "crm", url: "https://ada:pa55word@crm.example.com/", events: ["item.crated"], secret: "whsec_c2hvcnQ=" });
    it.write();
    for (const args of [["--check"], []]) {
      const webhook = it.command(args);
      expect(await webhook.exited).toBe(1);
      const text = webhook.stderr.join("\n");
      expect(text).toContain("webhooks.json has 3 mistakes:");
      expect(text).toContain("/subscriptions/0/url: Remove the user and password");
      expect(text).toContain('/subscriptions/0/events: Unknown event type "item.crated". Known: item.created');
      expect(text).not.toMatch(/pa55word|c2hvcnQ/);
    }
  });

  test("without a file it says what to do", async () => {
    const webhook = it.command([]);
    expect(await webhook.exited).toBe(1);
    expect(webhook.stderr.join("\n")).toContain("Copy deploy/webhooks.example.json");
  });

  test("--secret prints a secret that the config takes", async () => {
    const made = it.command(["--secret"]);
    expect(await made.exited).toBe(0);
    it.add({ name: "crm", url: "https://crm.example.com/", secret: made.stdout[0] });
    it.write();
    const check = it.command(["--check"]);
    expect(await check.exited).toBe(0);
    expect(check.stdout).toEqual(["crm: item.* to https://crm.example.com"]);
  });

  test("--enable of what is not there names what is; of what is not disabled, says so", async () => {
    it.add({ name: "crm", url: "https://crm.example.com/" });
    it.write();
    const unknown = it.command(["--enable", "crn"]);
    expect(await unknown.exited).toBe(1);
    expect(unknown.stderr).toEqual(['There is no subscription "crn". Known subscriptions: crm.']);
    const known = it.command(["--enable", "crm"]);
    expect(await known.exited).toBe(0);
    expect(known.stdout).toEqual(["crm was not disabled."]);
  });

  test("--help explains it; an unknown option is refused", async () => {
    const help = it.command(["--help"]);
    expect(await help.exited).toBe(0);
    expect(help.stdout.join("\n")).toContain("webhooks.example.json");
    const wrong = it.command(["--chekc"]);
    expect(await wrong.exited).toBe(2);
  });

  test("reports a mistake in the environment, and delivers nothing", async () => {
    it.subscriber("crm");
    it.write();
    const webhook = run(["consumers/webhook.ts", "--config", it.file], { env: { ...it.env, LOG_LEVEL: "loud" } });
    expect(await webhook.exited).toBe(1);
    expect(webhook.stderr.join("\n")).toContain("LOG_LEVEL=loud");
  });
});
