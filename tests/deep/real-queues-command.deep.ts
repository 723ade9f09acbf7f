// `bun run queues` and `bun run replay --cancel`: real processes on both transports.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ListedQueue } from "../../src/commands/known-queues";
import { command, onTerminal } from "../support/command";
import { eventually } from "../support/processes";
import { untilDead } from "../support/queue-consumer";
import { describeWithRabbit, emptyBroker, messagesIn, useRabbit } from "../support/rabbit";
import { requests } from "../support/requests";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const { api, consumers, env, folder, runOn } = useSystem();

const { create, get, replays, startReplay } = requests(() => api.url);
const queues = (...words: string[]) => command("queues", words, env);
const listed = async () => (JSON.parse((await queues("list", "--json")).stdout) as { queues: ListedQueue[] }).queues;
const find = async (name: string) => (await listed()).find(({ queue }) => queue === name);

function onEither(rabbitmqUrl: () => string): void {
  runOn(rabbitmqUrl);
  beforeEach(api.start);

  test("lists every queue, with what waits there and who works on it", async () => {
    const audit = await consumers.start({ queue: "audit" });
    await create(2);
    await audit.untilSeen(2);
    expect(
      await eventually(async () => {
        const state = await find("audit");
        return state?.messages === 0 ? state : undefined;
      }, "the events to be settled"),
    ).toEqual({
      queue: "audit",
      kind: "own",
      exists: true,
      messages: 0,
      retries: 0,
      deadLetters: 0,
      consumers: 1,
      announcedAt: expect.stringMatching(/^20.*Z$/),
    });
    const { code, stdout } = await queues("list");
    expect([code, stdout.split("\n")[0]]).toEqual([0, "WAITING  RETRIES  DEAD  CONSUMERS  ANNOUNCED  QUEUE"]);
    expect(stdout).toMatch(/^ +0 +0 +0 +1 +(just now|\d+ s ago) +audit$/m);
  });

  test("removes an unneeded queue with its dead letters; it is created and filled again for a consumer that asks", async () => {
    consumers.fails({ x: "reject" });
    const typo = await consumers.start({ queue: "aduit" });
    await create(2);
    await untilDead(api.url, "aduit", 2);
    expect(await queues("remove", "aduit", "--yes")).toMatchObject({
      code: 1,
      stderr: '1 consumer of "aduit" is running: stop it first.',
    });
    await typo.stop();
    await eventually(async () => ((await find("aduit"))?.consumers === 0 ? true : undefined), "the consumer to be gone");
    expect(await queues("remove", "aduit", "--yes")).toMatchObject({
      code: 1,
      stderr: '"aduit" has 2 dead letters, which would be lost. To remove it anyway, use --force.',
    });
    const asked = onTerminal("queues", ["remove", "aduit", "--force"], env);
    await asked.until(/Remove "aduit", with 2 dead letters, for good\? \[y\/N\]/);
    asked.type("n\r");
    expect(await asked.exited).toBe(1);
    expect((await find("aduit"))?.deadLetters).toBe(2);
    const { code, stdout } = await queues("remove", "aduit", "--force", "--yes");
    expect([code, stdout]).toEqual([0, '"aduit" was removed, with 2 dead letters.']);
    expect(await find("aduit")).toBeUndefined();
    expect((await get<{ queues: { queue: string }[] }>("/dead-letters")).queues.map(({ queue }) => queue)).not.toContain("aduit");
    consumers.works();
    const again = await consumers.start({ queue: "aduit" });
    await again.untilSeen(2);
  });

  test("DELETE /consumers/:queue removes one in the same way", async () => {
    consumers.fails({ x: "reject" });
    const typo = await consumers.start({ queue: "aduit" });
    await create(2);
    await untilDead(api.url, "aduit", 2);
    const remove = async (query = "") => {
      const response = await fetch(`${api.url}/consumers/aduit${query}`, { method: "DELETE" });
      return [response.status, await response.json()];
    };
    expect(await remove("?force=true")).toMatchObject([409, { detail: '1 consumer of "aduit" is running: stop it first.' }]);
    await typo.stop();
    await eventually(async () => ((await find("aduit"))?.consumers === 0 ? true : undefined), "the consumer to be gone");
    expect(await remove()).toMatchObject([
      409,
      { detail: '"aduit" has 2 dead letters, which would be lost. To remove it anyway, add force=true.' },
    ]);
    expect(await remove("?force=true")).toEqual([200, { removed: "aduit", messages: 0, retries: 0, deadLetters: 2 }]);
    expect(await find("aduit")).toBeUndefined();
    expect(await remove()).toMatchObject([404, { detail: expect.stringContaining('There is no queue "aduit".') }]);
    consumers.works();
    const again = await consumers.start({ queue: "aduit" });
    await again.untilSeen(2);
  });

  test("reports in one line what is wrong", async () => {
    for (const [words, code, said] of [
      [[], 2, "Missing command: list, remove or convert."],
      [["lst"], 2, 'Unknown command "lst".'],
      [["list", "audit"], 2, 'Unexpected argument "audit".'],
      [["list", "--yes"], 2, "list does not accept --yes."],
      [["remove"], 2, "remove needs the name of a queue."],
      [["remove", "nothing", "--yes"], 1, 'There is no queue "nothing".'],
    ] as const) {
      const answer = await queues(...words);
      expect([words, answer.code, answer.stderr]).toEqual([words, code, expect.stringContaining(said)]);
    }
  });

  test("replay --cancel ends a replay, and says what it has sent", async () => {
    const audit = await consumers.start({ queue: "audit" });
    await create(2);
    await audit.untilSeen(2);
    const { id } = await startReplay({ queue: "audit", rate: 0.001 });
    await audit.untilSeen(3);
    await eventually(async () => ((await get<{ sent: number }>(`/replays/${id}`)).sent === 1 ? true : undefined), "the first event");
    const cancel = () => command("replay", ["--cancel", id], env);
    expect(await cancel()).toMatchObject({ code: 0, stdout: `Cancelled replay ${id}; 1 event had been sent to "audit".` });
    expect((await replays()).find((replay) => replay.id === id)?.state).toBe("cancelled");
    expect(await cancel()).toMatchObject({ code: 1, stderr: `Replay ${id} has already ended (cancelled).` });
    expect((await command("replay", ["--cancel", "none"], env)).code).toBe(1);
    expect((await command("replay", ["--cancel", id, "--queue", "audit"], env)).code).toBe(2);
  });
}

describe("bun run queues without a broker", () => {
  onEither(() => "none");

  test("does not remove what a consumer keeps of its own in its file, unless it is forced", async () => {
    const stock = await consumers.start({ queue: "stock", exactlyOnce: true });
    await create(1);
    await stock.untilSeen(1);
    expect((await queues("remove", "stock", "--force", "--yes")).code).toBe(1);
    await stock.stop();
    expect(await queues("remove", "stock", "--yes")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"stock" has tables of its own (effects), which would be lost.'),
    });
    expect((await queues("remove", "stock", "--yes", "--force", "--json")).code).toBe(0);
    expect(readdirSync(join(folder.path, "data", "consumers")).filter((file) => file.startsWith("stock"))).toEqual([]);
    expect(existsSync(join(folder.path, "data", "warren.db"))).toBe(true);
  });
});

describeWithRabbit("bun run queues on RabbitMQ", () => {
  const rabbit = useRabbit();
  onEither(() => rabbit().url);
  afterEach(() => emptyBroker(rabbit()));

  test("removes a queue with its bindings while the API does not run, which forgets it when it starts", async () => {
    const audit = await consumers.start({ queue: "audit" });
    await audit.stop();
    await create(1);
    await eventually(async () => ((await find("audit"))?.messages === 1 ? true : undefined), "the event");
    await api.stop();
    const { code, stdout, stderr } = await queues("remove", "audit", "--yes", "--force", "--json");
    expect([code, JSON.parse(stdout)]).toEqual([0, { removed: "audit", messages: 1, retries: 0, deadLetters: 0 }]);
    expect(stderr).toContain("The API is not running. It will forget the queue when it starts.");
    expect(Object.keys(await messagesIn(rabbit())).filter((queue) => queue.startsWith("audit"))).toEqual([]);
    await api.start();
    await eventually(async () => ((await find("audit")) === undefined ? true : undefined), "the API to forget it");
    await create(1);
    expect(Object.keys(await messagesIn(rabbit())).filter((queue) => queue.startsWith("audit"))).toEqual([]);
  });

  test("the queue of a resource is not removed", async () => {
    expect(await queues("remove", "item_events", "--force", "--yes")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"item_events" is the queue of a resource and cannot be removed: the API creates it at each start.'),
    });
  });
});
