// `bun run replay`: real processes on both transports, with and without a terminal.
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { command, onTerminal } from "../support/command";
import { eventually, run, send } from "../support/processes";
import { items, type QueueConsumer, upTo } from "../support/queue-consumer";
import { deleteQueue, describeWithRabbit, emptyBroker, messagesIn, useOwnRabbit } from "../support/rabbit";
import { seedItems } from "../support/seeded-log";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const { api, consumers, env, folder, runOn } = useSystem();

const replay = (...words: string[]) => command("replay", words, env);

/** A queue "audit" whose consumer has seen as many events as there are. */
async function audited(count: number): Promise<QueueConsumer> {
  await seedItems(folder.path, count);
  await api.start();
  const audit = await consumers.start({ queue: "audit" });
  await audit.untilSeen(count);
  return audit;
}

function onEither(rabbitmqUrl: () => string): void {
  runOn(rabbitmqUrl);

  test("invariant 4: sends past events to exactly one queue, in order and marked, without the API", async () => {
    const audit = await audited(30);
    const prices = await consumers.start({ queue: "prices" });
    await prices.untilSeen(30);
    await api.stop();
    const { code, stdout, stderr } = await replay("--queue", "audit");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^30 events (sent|handed) to .*"audit" in (\d+ s|less than a second)\.$/)]);
    expect(stderr).toMatch(
      /^Replaying all events from the beginning up to now to "audit" (on RabbitMQ at amqp:\/\/\*\*\*@|without a broker)/,
    );
    const again = (await audit.untilSeen(60)).slice(30);
    expect(items(again)).toEqual(upTo(30));
    expect(again.every((event) => event.replay)).toBe(true);
    await api.start();
    await send("POST", `${api.url}/items`, { name: "x" });
    await prices.untilItem(31);
    // The API may have been stopped before it had recorded the end of the queue's fill, and then repeats it.
    expect([...new Set(items(prices.seen()))]).toEqual(upTo(31));
    expect(prices.seen().some((event) => event.replay)).toBe(false);
  });

  test("says which events it understood, in local time; a dry run counts them and sends none", async () => {
    const audit = await audited(10);
    await send("PATCH", `${api.url}/items/3`, { price: 1 });
    await audit.untilSeen(11);
    env["TZ"] = "America/New_York";
    for (const [words, said] of [
      [
        ["--from", "2000-01-01", "--events", "item.updated,*.deleted"],
        "1 event: item.updated, item.deleted from 2000-01-01 00:00:00 -05:00 up to now.",
      ],
      [
        ["--id", "3", "--to", "2999-07-01T08:00:00Z"],
        "2 events: all events of record 3 from the beginning until 2999-07-01 04:00:00 -04:00.",
      ],
      [["--from", "2999-01-01 12:30"], "0 events: all events from 2999-01-01 12:30:00 -05:00 up to now."],
      [["--after", "2", "--last", "5"], "3 events: all events after position 2 up to position 5."],
    ] as const) {
      expect(await replay("--queue", "audit", ...words, "--dry-run")).toEqual({ code: 0, stdout: `${said} Nothing was sent.`, stderr: "" });
    }
    const { code } = await replay("--queue", "audit", "--id", "3", "--events", "item.*");
    expect(code).toBe(0);
    const seen = (await audit.untilSeen(13)).slice(11);
    expect(seen.map(({ type, item, replay }) => [type, item, replay])).toEqual([
      ["item.created", 3, true],
      ["item.updated", 3, true],
    ]);
  });

  test("what the queue does not take is neither counted nor sent", async () => {
    await audited(5);
    const changes = await consumers.start({ queue: "changes", events: ["item.updated"] });
    await send("PATCH", `${api.url}/items/3`, { price: 1 });
    await changes.untilSeen(1);
    expect((await replay("--queue", "changes", "--dry-run")).stdout).toMatch(/^1 event: all events /);
    expect((await replay("--queue", "changes")).stdout).toMatch(/^1 event (sent|handed) to /);
    await changes.untilSeen(2);
    expect(await replay("--queue", "chagnes", "--dry-run")).toMatchObject({ code: 1, stderr: expect.stringContaining("no queue") });
  });

  test("reports a missing queue and a missing log in one sentence", async () => {
    expect(await replay("--queue", "audit")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^There is no event log in .*warren\.db yet/),
    });
    await audited(1);
    expect(await replay("--queue", "aduit")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining('There is no queue "aduit"'),
    });
  });
}

describe("bun run replay without a broker", () => {
  onEither(() => "none");

  test("reports wrong usage in one line, with a hint at the help", async () => {
    for (const [words, mistake] of [
      [[], "Missing --queue NAME, the queue to send the events to."],
      [["--queue", "audit", "item.created"], /^Unexpected argument "item\.created"\. Patterns with a \* need quotes/],
      [["--queue", "../audit"], /"\.\.\/audit" is not a valid queue name/],
      [["--queue", "audit.dead"], /is reserved for Warren or RabbitMQ/],
      [["--queue", "audit", "--events", "item.crated"], /Unknown event type "item.crated". Known: item.created/],
      [["--queue", "audit", "--from", "2026-02-30"], "--from 2026-02-30: Expected a day such as 2026-11-01"],
      [["--queue", "audit", "--from", "2026-11-02", "--to", "2026-11-01"], "--to 2026-11-01: Expected a time after `from`."],
      [["--queue", "audit", "--id", "x"], "--id x: use a whole number of 1 or more."],
      [["--queue", "audit", "--rate", "0"], "--rate 0: use a number of 0.001 or more."],
      [["--queue", "audit", "--rate", "1e-9"], "--rate 1e-9: use a number of 0.001 or more."],
      [["--queue", "audit", "--after", "1.5"], "--after 1.5: use a whole number of 0 or more."],
      [["--queue"], /argument missing/],
      [["--queue", "audit", "--quick"], "Unknown option '--quick'."],
    ] as const) {
      const { code, stdout, stderr } = await replay(...words);
      expect([words, code, stdout]).toEqual([words, 2, ""]);
      const [said, help, ...more] = stderr.split("\n");
      expect(said).toMatch(mistake);
      expect([help, more]).toEqual(["Run with --help for usage.", []]);
    }
    expect(await replay("--help")).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("bun run replay --queue audit") });
  });

  test("without a consumer it waits, and says so; the consumer that comes does it", async () => {
    const audit = await audited(5);
    expect(await audit.stop()).toBe(0);
    const waiting = run(["src/commands/replay.ts", "--queue", "audit"], { env });
    await waiting.line('No consumer of "audit" is running. The replay waits in', "stderr");
    const next = await consumers.start({ queue: "audit" });
    expect(await waiting.exited).toBe(0);
    expect(waiting.stdout.at(-1)).toMatch(/^5 events handed to the consumer of "audit"/);
    expect(items(await next.untilSeen(5))).toEqual(upTo(5));
  });

  test("Ctrl+C leaves the replay to its consumer, which continues it", async () => {
    const audit = await audited(300);
    const watched = onTerminal("replay", ["--queue", "audit", "--rate", "100"], env);
    await watched.until(/░ +[1-9]\d? % {2}1\d\d events/);
    watched.type("\x03");
    expect(await watched.exited).toBe(130);
    await watched.until(
      /Stopped watching after \d+ events?\. Replay [0-9a-f-]+ continues without this command while a consumer of "audit" runs\./,
    );
    expect(items((await audit.untilSeen(600)).slice(300))).toEqual(upTo(300));
  });
});

describeWithRabbit("bun run replay on RabbitMQ", () => {
  const rabbit = useOwnRabbit();
  onEither(() => rabbit().url);
  afterEach(() => emptyBroker(rabbit()));

  test("a bar with rate and time left on a terminal; Ctrl+C stops it and says how to go on, and nothing comes twice", async () => {
    const audit = await audited(600);
    const first = onTerminal("replay", ["--queue", "audit", "--events", "item.*", "--rate", "150"], env, 100);
    await first.until(/█+░+ +\d+ % {2}[23]\d\d events {2}\d+\/s {2}\d+ s left/);
    first.type("\x03");
    expect(await first.exited).toBe(130);
    const [, sent, position] = await first.until(/Stopped after (\d+) events to "audit", at position (\d+) of 600\. To continue:/);
    expect(Number(sent)).toBeLessThan(600);
    expect(position).toBe(sent as string);
    const [, again = ""] = await first.until(/\n {2}bun run replay (.*)\r\n/);
    expect(again).toBe(`--queue audit --events 'item.*' --rate 150 --after ${position} --last 600`);
    const second = await replay(...again.replaceAll("'", "").replace("--rate 150 ", "").split(" "));
    expect([second.code, second.stdout]).toEqual([0, expect.stringContaining(`${600 - Number(sent)} events sent to "audit"`)]);
    expect(items((await audit.untilSeen(1200)).slice(600))).toEqual(upTo(600));
    await send("POST", `${api.url}/items`, { name: "x" });
    expect(await audit.untilSeen(1201)).toHaveLength(1201);
  });

  test("Ctrl+C at full speed: what is on its way is confirmed first, so that going on sends nothing twice", async () => {
    const audit = await audited(8000);
    const first = run(["src/commands/replay.ts", "--queue", "audit"], { env });
    await audit.untilSeen(8500);
    expect(await first.stop("SIGINT")).toBe(130);
    const again = /bun run replay (.*)/.exec(first.stdout.join("\n"))?.[1] ?? "";
    expect((await replay(...again.split(" "))).code).toBe(0);
    await send("POST", `${api.url}/items`, { name: "x" });
    await audit.untilItem(8001);
    expect(items(audit.seen().slice(8000))).toEqual([...upTo(8000), 8001]);
  });

  test("in a pipe, a line now and then", async () => {
    await audited(80);
    const { code, stderr } = await replay("--queue", "audit", "--rate", "10");
    expect(code).toBe(0);
    const [first, ...lines] = stderr.split("\n");
    expect(first).toStartWith("Replaying all events");
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThanOrEqual(3);
    for (const line of lines) expect(line).toMatch(/^ +\d+ % {2}\d+ events? {2}\d+\/s {2}\d+ s left$/);
  });

  test("continues after RabbitMQ was killed in the middle, and reports it", async () => {
    const audit = await audited(600);
    const sending = run(["src/commands/replay.ts", "--queue", "audit", "--rate", "150"], { env });
    await audit.untilSeen(800);
    await rabbit().kill();
    await sending.line(/^Lost the connection to RabbitMQ .*; waiting for it to return\.$/, "stderr");
    await rabbit().start();
    await sending.line("RabbitMQ is available again.", "stderr");
    expect(await sending.exited).toBe(0);
    const replayed = () => [...new Set(items(audit.seen().filter((event) => event.replay)))];
    await eventually(() => (replayed().length === 600 ? true : undefined), "the whole replay");
    expect(replayed()).toEqual(upTo(600));
  });

  test("Ctrl+C while RabbitMQ is away stops it at once, with how to go on", async () => {
    const audit = await audited(600);
    const sending = run(["src/commands/replay.ts", "--queue", "audit", "--rate", "50"], { env });
    await audit.untilSeen(700);
    await rabbit().kill();
    await sending.line("Lost the connection to RabbitMQ", "stderr");
    const began = performance.now();
    expect(await sending.stop("SIGINT")).toBe(130);
    expect(performance.now() - began).toBeLessThan(3000);
    expect(sending.stdout.join("\n")).toMatch(/To continue:\n {2}bun run replay --queue audit --rate 50 --after \d+ --last 600$/);
  });

  test("ends when the queue is deleted in the middle, and says so", async () => {
    const audit = await audited(300);
    expect(await audit.stop()).toBe(0);
    const sending = run(["src/commands/replay.ts", "--queue", "audit", "--rate", "5"], { env });
    await sending.line("Replaying all events", "stderr");
    await eventually(async () => ((await messagesIn(rabbit()))["audit"] ? true : undefined), "the first events");
    expect(sending.stderr).toContain('No consumer of "audit" is running: the events wait in the queue until one starts.');
    await deleteQueue(rabbit(), "audit");
    expect(await sending.exited).toBe(1);
    expect(sending.stderr.at(-1)).toMatch(/^The queue "audit" was deleted after \d+ events?\.$/);
  });
});
