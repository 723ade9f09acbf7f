// A schema changes between two releases: what was written with the first is read with the second. On a copy of the project.
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder } from "../support/folder";
import { endAll, environment, eventually, run, send, startApi, startLogger } from "../support/processes";
import { copyProject } from "../support/project-copy";
import { describeWithRabbit, useRabbit } from "../support/rabbit";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

/** The second release: cents, where the first had a price. */
function secondRelease(item: string): string {
  const past = `past: [
    pastVersion({
      fields: { name: Type.String(), description: Nullable(Type.String()), price: Nullable(Type.Number()) },
      up({ price, ...rest }) {
        if (rest.name === "broken") throw new Error("no upcaster for this one");
        return { ...rest, cents: price === null ? null : Math.round(price * 100) };
      },
    }),
  ],
  example:`;
  return `import { pastVersion } from "warren/resource";\n${item
    .replace("price: Nullable(Type.Number({ minimum: 0 }))", "cents: Nullable(Type.Integer({ minimum: 0 }))")
    .replace('price: "range"', 'cents: "range"')
    .replace("price: 9.99", "cents: 999")
    .replace("example:", past)}`;
}

let copy: ReturnType<typeof copyProject>;
let data: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  copy = copyProject();
  data = temporaryFolder();
});
afterEach(async () => {
  await endAll();
  data.remove();
  copy.remove();
});

/** Writes two items with the first release, and one with the second, while no consumer runs; then starts one. */
async function upgrade(rabbitmqUrl?: string): Promise<void> {
  const options = { cwd: copy.path, env: environment(data.path, rabbitmqUrl) };
  const first = await startApi(options);
  await send("POST", `${first.url}/items`, { name: "one", price: 2.5 });
  await send("POST", `${first.url}/items`, { name: "broken", price: 1 });
  await send("DELETE", `${first.url}/items/2`);
  await first.stop();

  const source = join(copy.path, "src/domain/item.ts");
  await Bun.write(source, secondRelease(await Bun.file(source).text()));
  const second = await startApi(options);
  const stored = await (await send("GET", `${second.url}/items/1`)).json();
  expect(stored).toMatchObject({ id: 1, name: "one", cents: 250, version: 1 });
  expect(Object.keys(stored as object)).not.toContain("price");
  await send("PATCH", `${second.url}/items/1`, { cents: 300 });

  const logger = await startLogger(["--json"], options);
  const lines = await logger.lines(/^\{/, 2);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { type: "item.created", version: 2, item: { name: "one", cents: 250, version: 1 } },
    { type: "item.updated", version: 2, item: { name: "one", cents: 300, version: 2 } },
  ]);
  // Both events of the item that the upcaster cannot take, and the consumer went on after them.
  const deadLetters = await eventually(async () => {
    const answer = (await (await send("GET", `${second.url}/dead-letters/item_events`)).json()) as { deadLetters: object[] };
    return answer.deadLetters.length === 2 ? answer.deadLetters : undefined;
  }, "two dead letters");
  expect(deadLetters).toMatchObject(
    ["item.created", "item.deleted"].map((type) => ({
      reason: "upcast-failed",
      error: `${type} version 1 to 2: Error: no upcaster for this one`,
      body: { type, version: 1, item: { name: "broken", price: 1 } },
    })),
  );

  await Bun.write(source, (await Bun.file(source).text()).replace('"broken"', '"never"'));
  await logger.stop();
  const mended = await startLogger(["--json"], options);
  await send("POST", `${second.url}/dead-letters/item_events/redrive`, {});
  const redriven = await mended.lines(/"broken"/, 2);
  expect(redriven.map((line) => JSON.parse(line) as object)).toMatchObject([
    { type: "item.created", version: 2, item: { name: "broken", cents: 100 } },
    { type: "item.deleted", version: 2, item: { name: "broken", cents: 100 } },
  ]);
  const check = run(["src/commands/contracts.ts", "check", "--against-log"], options);
  await check.exited;
  expect(check.stdout.join("\n")).toContain("4 events in the log");
  expect(check.stdout.join("\n")).toContain("all can be read");
}

test("a backlog in the log, and stored records, are read as the newest; what cannot be is kept, and redriven when it can", () => upgrade());

describeWithRabbit("on RabbitMQ", () => {
  const rabbit = useRabbit();
  afterEach(endAll);

  test("so is a backlog in a queue", () => upgrade(rabbit().url));
});
