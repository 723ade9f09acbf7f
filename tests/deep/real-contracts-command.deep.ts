// `bun run contracts:check` and `contracts:update`: on a copy of the project, on a real log, on real dead letters.

import { Database } from "bun:sqlite";
import { beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { openConsumerFile } from "../../src/store/sqlite/consumer/file";
import { command } from "../support/command";
import { deadEvents, deadQueueOnRabbitmq } from "../support/dead-letters";
import { freePort } from "../support/net";
import { environment } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { describeWithRabbit, useRabbit } from "../support/rabbit";
import { seedItems } from "../support/seeded-log";
import { useFolder } from "../support/use-folder";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const folder = useFolder();
let env: Record<string, string>;
beforeEach(() => {
  env = environment(folder.path);
});

test("a change that breaks what was published is refused, until it is a new version", async () => {
  const copy = copyProject();
  try {
    const contracts = (...words: string[]) => command("contracts", words, env, copy.path);
    const source = join(copy.path, "src/domain/item.ts");
    const snapshot = Bun.file(join(copy.path, "contracts/events.json"));
    const [item, before] = [await Bun.file(source).text(), await snapshot.text()];
    expect(await contracts("check")).toEqual({ code: 0, stdout: "", stderr: "" });

    const changed = item
      .replace("price: Nullable(Type.Number({ minimum: 0 }))", "cents: Type.Integer({ minimum: 0 })")
      .replace('price: "range"', 'cents: "range"')
      .replace("price: 9.99", "cents: 999");
    await Bun.write(source, changed);
    const refused = await contracts("check");
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("item.created, item.updated, item.deleted version 1: /item/price was removed."),
    ]);
    expect(refused.stderr).toContain("make it version 2");
    expect(refused.stderr).toContain("/item/cents is new and required");
    const kept = await contracts("update");
    expect([kept.code, await snapshot.text()]).toEqual([1, before]);
    expect(kept.stderr).toContain("contracts/events.json was not changed");

    const past = `past: [
    pastVersion({
      fields: { name: Type.String(), description: Nullable(Type.String()), price: Nullable(Type.Number()) },
      up: ({ price, ...rest }) => ({ ...rest, cents: Math.round((price ?? 0) * 100) }),
    }),
  ],
  example:`;
    await Bun.write(source, `import { pastVersion } from "warren/resource";\n${changed.replace("example:", past)}`);
    const stale = await contracts("check");
    expect([stale.code, stale.stderr]).toEqual([
      1,
      expect.stringContaining("out of date, without breaking changes: run `bun run contracts:update`"),
    ]);
    expect(await contracts("update")).toMatchObject({ code: 0, stdout: "Wrote contracts/events.json" });
    expect(await contracts("check")).toMatchObject({ code: 0 });
    const written = JSON.parse(await snapshot.text()) as Record<string, Record<string, { example: { item: object } }>>;
    expect(Object.keys(written["item.updated"] ?? {})).toEqual(["1", "2"]);
    expect(written["item.updated"]?.["1"]?.example.item).toMatchObject({ price: 9.99 });

    await Bun.write(source, item);
    expect(await contracts("check")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("version 2: is missing; the newest version is 1"),
    });
    expect(await contracts("update", "--force")).toMatchObject({ code: 0 });
    expect(JSON.parse(await snapshot.text())).toEqual(JSON.parse(before));
  } finally {
    copy.remove();
  }
});

/** Makes three of the events in the log such as no consumer can read. */
async function logWithUnreadable(): Promise<void> {
  await seedItems(folder.path, 1500);
  const db = new Database(join(folder.path, "data/warren.db"));
  db.run(`UPDATE events SET body = replace(body, '"version":1,"item"', '"version":7,"item"') WHERE position IN (1200, 1300)`);
  db.run("UPDATE events SET type = 'gadget.created', body = replace(body, 'item.created', 'gadget.created') WHERE position = 1400");
  db.close();
}

describe("--against-log", () => {
  test("says which events of the log cannot be read today, and which dead letters", async () => {
    await logWithUnreadable();
    const file = openConsumerFile(join(folder.path, "data/consumers/audit.db"), { durable: false });
    const about = {
      type: "item.created",
      error: "no",
      stack: null,
      attempts: 1,
      firstFailure: "",
      lastFailure: "",
      replay: "no",
      traceparent: null,
    } as const;
    const [good, bad] = deadEvents(2) as [{ id: string; body: string }, { id: string; body: string }];
    file.dead.add({ ...about, ...good, reason: "rejected" });
    file.dead.add({ ...about, ...bad, body: bad.body.replace('"price":null', '"price":-1'), reason: "attempts-exhausted" });
    file.dead.add({ ...about, id: "", body: "garbage", reason: "not-json" });
    file.close();
    const { code, stdout } = await command("contracts", ["check", "--against-log"], env);
    expect(code).toBe(1);
    expect(stdout).toContain("1,500 events in the log of ");
    expect(stdout).toContain("3 cannot be read.");
    expect(stdout).toMatch(
      /\n +2 {2}item\.created +unknown-version +position 1200 {2}unknown version 7 of item\.created; this program reads version 1\n/,
    );
    expect(stdout).toMatch(/\n +1 {2}gadget\.created +unknown-type +position 1400 /);
    expect(stdout).toMatch(/3 dead letters of "audit" in .*: 2 cannot be read\./);
    expect(stdout).toMatch(/1 {2}item\.created +invalid +id .* \/item\/price: /);
    expect(stdout).toContain("1 of these were already unreadable.");
  });

  test("passes if the log can be read, even if a dead letter never could be; needs no broker", async () => {
    await seedItems(folder.path, 10);
    const file = openConsumerFile(join(folder.path, "data/consumers/audit.db"), { durable: false });
    const about = {
      id: "",
      type: null,
      error: "no",
      stack: null,
      attempts: 1,
      firstFailure: "",
      lastFailure: "",
      replay: "no",
      traceparent: null,
    } as const;
    file.dead.add({ ...about, body: "garbage", reason: "not-json" });
    file.close();
    const away = { ...env, RABBITMQ_URL: `amqp://localhost:${freePort()}/` };
    const { code, stdout, stderr } = await command("contracts", ["check", "--against-log"], away);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^Cannot reach RabbitMQ .* Its dead letters were not checked\.$/)]);
    expect(stdout).toMatch(/^10 events in the log of .*: all can be read\.\n1 dead letter of "audit"/);
  });

  test("reports that there is no log", async () => {
    const { code, stderr } = await command("contracts", ["check", "--against-log"], env);
    expect([code, stderr]).toEqual([1, expect.stringContaining("There is no event log in ")]);
  });
});

describeWithRabbit("--against-log on RabbitMQ", () => {
  const rabbit = useRabbit();

  test("looks at the dead letters there, and leaves them", async () => {
    await seedItems(folder.path, 1);
    const dead = deadQueueOnRabbitmq(() => rabbit().url);
    const [first, second] = deadEvents(2) as [{ id: string; body: string }, { id: string; body: string }];
    await dead.fill("item_events", [first, { ...second, body: second.body.replace("item.created", "item.exploded") }]);
    const { code, stdout } = await command("contracts", ["check", "--against-log"], environment(folder.path, rabbit().url));
    expect(code).toBe(1);
    expect(stdout).toMatch(/2 dead letters of "item_events" on RabbitMQ at .*: 1 cannot be read\./);
    expect(stdout).toContain('unknown event type "item.exploded"; known:');
    expect(await dead.depth("item_events")).toBe(2);
  });
});
