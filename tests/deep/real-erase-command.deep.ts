// bun run erase: all data of one person is taken out of every file of the service.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { quarantine, quarantineFolder } from "../../src/rabbitmq/quarantine";
import { Catalogue } from "../../src/schema/catalogue";
import { parseEvent } from "../../src/schema/event";
import { atOnce } from "../../src/store/consumer/waiting-table";
import { consumerStores } from "../../src/store/open";
import type { Store } from "../../src/store/store";
import { command } from "../support/command";
import { badge, customer, purchase } from "../support/customers";
import { sqliteIn } from "../support/engines";
import { temporaryFolder } from "../support/folder";
import { copyProject } from "../support/project-copy";
import { withStore } from "../support/use-store";

const source = readFileSync(join(import.meta.dir, "../support/customers.ts"), "utf8");
const resources = [customer, purchase, badge];
/** Text of the person who is erased. It is one word, so that the full-text index has it, too. */
const marker = "zoranamarker";

let project: ReturnType<typeof copyProject>;
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(async () => {
  project = copyProject();
  folder = temporaryFolder();
  await Bun.write(join(project.path, "src/domain/customer.ts"), source);
});
afterEach(() => {
  project.remove();
  folder.remove();
});

const using = <T>(work: (store: Store) => Promise<T>) => withStore(sqliteIn(folder.path), resources, work);

const erase = (...words: string[]) =>
  command("erase", words, { DATABASE_URL: `sqlite:${join(folder.path, "warren.db")}`, RABBITMQ_URL: "none" }, project.path);

/** Returns the files below the data folder that have a text. */
function filesWith(text: string): string[] {
  const files = readdirSync(folder.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name)).filter((file) => readFileSync(file).includes(text));
}

/** Fills every place that can have data of a customer, with that of two. */
async function fill(): Promise<void> {
  await using(async (store) => {
    const once = { key: "key", fingerprint: "same", part: 0 };
    await store.insert(customer, { email: `${marker}@example.com`, notes: `old ${marker}` }, { once });
    await store.insert(customer, { email: "eve@example.com", notes: "evemarker" });
    await store.update(customer, 1, (current) => ({ ...current, notes: `new ${marker} ${"x".repeat(9000)}` }), {
      emit: { greeted: { words: `Hello ${marker}` } },
    });
    await store.insertAll(purchase, [{ customer: 1, address: `1 ${marker} Street` }], ([made]) => `{"made":${made?.json}}`, {
      once: { ...once, key: "bulk" },
    });
    await store.insert(purchase, { customer: 2, address: "evemarker" });
    await store.insert(badge, { customer: 1 });
    const stores = consumerStores(sqliteIn(folder.path));
    const mailer = await stores.open("mailer", { durable: true });
    await mailer.begin(store.logId, 0, ["customer.created"]);
    const common = { attempts: 1, firstFailure: null, replay: "no", traceparent: null } as const;
    for (const { id, type, body } of await store.log.read(0, 100)) {
      await mailer.waiting.add({ id, body, dueAt: atOnce, delayMs: 0, ...common });
      const [reason, time] = ["failed", "2026-02-18T18:23:45.123Z"];
      await mailer.dead.add({ id, type, body, reason, error: `No ${body}`, stack: null, ...common, firstFailure: time, lastFailure: time });
      await mailer.attempts.add(id, { attempt: 1, at: 1, outcome: "retry", reason: null, error: body, dueAt: null });
      const message = { content: Buffer.from(body), fields: { exchange: "events", routingKey: type }, properties: {} };
      quarantine(quarantineFolder(folder.path), "mailer", message, null, "refused");
    }
    await mailer.close();
    await (await stores.open("other", { durable: true })).close();
  });
}

describe("bun run erase", () => {
  test("shows what it would erase, and changes nothing", async () => {
    await fill();
    const before = filesWith(marker).length;
    const { code, stdout, stderr } = await erase("customer", "1");
    expect(stdout.split("\n")).toEqual([
      "Would erase customer 1, purchase 1: 2 records, 4 events in the log, 8 failed events of consumers, 4 quarantined messages.",
      "These consumers and webhooks read its events. Each has to delete what it keeps itself:",
      "  mailer",
    ]);
    expect([code, stderr]).toEqual([0, "Nothing was erased. To erase it for good, add --yes."]);
    expect(filesWith(marker).length).toBe(before);
    expect(await using((store) => store.get(customer, 1))).toBeDefined();
  });

  test("leaves not one byte of the person's data in any file, and everything of others", async () => {
    await fill();
    const logged = await using((store) => store.log.read(0, 100));
    expect(filesWith(marker).length).toBeGreaterThan(2);
    const { code, stdout } = await erase("customers", "1", "--yes");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Erased customer 1, purchase 1: /)]);
    expect(stdout).toContain("customer.erased is published when the API runs again.");
    expect(filesWith(marker)).toEqual([]);
    expect(filesWith("evemarker").length).toBeGreaterThan(2);
    await using(async (store) => {
      const log = await store.log.read(0, 100);
      // Positions, ids and times stay.
      const places = (entries: typeof log) => entries.map(({ position, id, timestamp }) => [position, id, timestamp]);
      expect(places(log.slice(0, logged.length))).toEqual(places(logged));
      expect(log.map(({ type }) => type)).toEqual([
        "erased",
        "customer.created",
        ...["erased", "erased", "erased"],
        ...["purchase.created", "badge.created", "badge.updated"],
        // The deletions, whose events would have had the last states.
        ...["erased", "erased"],
        ...["purchase.erased", "customer.erased"],
      ]);
      const [first] = log;
      expect(first?.body).toBe(`{"id":"${first?.id}","type":"erased","timestamp":"${first?.timestamp}"}`);
      const erased = parseEvent(log.at(-1)?.body ?? "", new Catalogue(resources));
      expect(erased).toMatchObject({ ok: true, event: { type: "customer.erased", version: 1, customer: { id: 1 } } });
      // A request that is sent again still changes nothing.
      const once = { key: "key", fingerprint: "same", part: 0 };
      expect((await store.insert(customer, { email: "again@example.com", notes: "" }, { once })).json).toBe('{"id":1,"version":1}');
      expect(await store.restore(customer, 1)).toBeUndefined();
      expect((await store.list(customer, { limit: 9, search: marker })).rows).toEqual([]);
      expect((await store.insert(customer, { email: `${marker}@example.com`, notes: "" })).id).toBe(3);
    });
    const again = await erase("customer", "1", "--yes");
    expect([again.code, again.stderr]).toEqual([1, "There is no data of customer 1."]);
  });

  test("also erases a record that was deleted before, with those that were deleted with it", async () => {
    await fill();
    await using((store) => store.remove(customer, 1));
    expect(filesWith(marker).length).toBeGreaterThan(2);
    const { code, stdout } = await erase("customer", "1", "--yes");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Erased customer 1, purchase 1: 2 records, 6 events in the log/)]);
    expect(filesWith(marker)).toEqual([]);
    expect(filesWith("evemarker").length).toBeGreaterThan(2);
  });

  test("leaves a deleted record that had another customer at last", async () => {
    await fill();
    await using(async (store) => {
      await store.update(purchase, 1, () => ({ customer: 2, address: "theirs" }));
      await store.remove(purchase, 1);
    });
    expect((await erase("customer", "1")).stdout).toStartWith("Would erase customer 1: 1 record");
  });

  test("obeys a reference that restricts the deletion, and changes nothing", async () => {
    await Bun.write(join(project.path, "src/domain/customer.ts"), source.replace('"cascade"', '"restrict"'));
    await fill();
    const { code, stderr } = await erase("customer", "1", "--yes");
    expect([code, stderr]).toEqual([1, expect.stringContaining("purchase")]);
    expect(await using((store) => store.get(customer, 1))).toBeDefined();
  });

  test("does not run beside the API or a consumer", async () => {
    await fill();
    await using(async () => {
      expect(await erase("customer", "1")).toMatchObject({ code: 1, stderr: expect.stringContaining("The API is running") });
    });
    const share = await consumerStores(sqliteIn(folder.path)).join("mailer", () => {});
    expect(await erase("customer", "1", "--yes")).toMatchObject({ code: 1, stderr: 'Consumers are running: stop "mailer" first.' });
    await share.leave();
  });

  test.each([
    [[], 2, "Missing the name of a resource."],
    [["customer"], 2, "Missing the id of the record."],
    [["customer", "x"], 2, '"x" is not the id of a customer.'],
    [["customer", "1", "2"], 2, 'Unexpected argument "2".'],
    [["person", "1"], 2, 'Unknown resource "person".'],
    [["customer", "9"], 1, "There is no data of customer 9."],
  ])("%p exits with %i and says why", async (words, code, message) => {
    const ended = await erase(...words);
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)]);
  });
});
