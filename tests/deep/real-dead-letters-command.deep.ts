// `bun run dead-letters`: real processes on both transports, with and without a terminal.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { interrupted } from "../../src/commands/command";
import type { DeadLetterPage } from "../../src/delivery/dead-letters";
import { command, type Ended, onTerminal } from "../support/command";
import { deadEvents, deadQueueOnRabbitmq } from "../support/dead-letters";
import { eventually, run, send } from "../support/processes";
import { type QueueConsumer, untilDead } from "../support/queue-consumer";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const { api, consumers, env, runOn } = useSystem();

const deadLetters = (...words: string[]): Promise<Ended> => command("dead-letters", words, env);
const done = (stdout: string) => ({ code: 0, stdout, stderr: "" });

/** A queue "stock" whose consumer has given up on items "a" (attempts exhausted) and "b" (rejected), in this order. */
async function givenUp(order: string, name = (letter: string) => letter): Promise<{ consumer: QueueConsumer; ids: string[] }> {
  consumers.fails({ [name("a")]: "fail", [name("b")]: "reject" });
  const consumer = await consumers.start({ queue: "stock" });
  for (const [index, letter] of [...order].entries()) {
    await send("POST", `${api.url}/items`, { name: name(letter) });
    await untilDead(api.url, "stock", index + 1);
  }
  const page = (await (await send("GET", `${api.url}/dead-letters/stock?limit=200`)).json()) as DeadLetterPage;
  return { consumer, ids: page.deadLetters.map(({ id }) => id) };
}

function onEither(rabbitmqUrl: () => string): void {
  runOn(rabbitmqUrl);

  beforeEach(api.start);

  test("lists queues, and the dead letters of one, without the API and in aligned columns", async () => {
    const { ids } = await givenUp("ab");
    const page = await (await send("GET", `${api.url}/dead-letters/stock`)).json();
    await api.stop();
    const queues = await deadLetters("list");
    expect(queues.code).toBe(0);
    expect(queues.stdout).toMatch(/^DEAD {2}QUEUE$/m);
    expect(queues.stdout).toMatch(/^ {3}2 {2}stock$/m);
    const listed = await deadLetters("list", "stock");
    const [titles, first, second, ...rest] = listed.stdout.split("\n");
    expect([listed.code, listed.stderr, rest]).toEqual([0, "", []]);
    expect(titles).toBe(
      `ID${" ".repeat(34)}  TYPE          REASON              ATTEMPTS  FAILED${" ".repeat((/ FAILED +/.exec(titles ?? "")?.[0].length ?? 0) - 7)}ERROR`,
    );
    expect(first?.replace(/(just now|\d+ s ago)/, "…").replace(/ +/g, " ")).toBe(
      `${ids[0]} item.created attempts-exhausted 2 … TypeError: the warehouse does not answer`,
    );
    expect(second?.replace(/(just now|\d+ s ago)/, "…").replace(/ +/g, " ")).toBe(`${ids[1]} item.created rejected 1 … no such shelf`);
    expect(second?.indexOf("no such shelf")).toBe(titles?.indexOf("ERROR") as number);
    expect(JSON.parse((await deadLetters("list", "stock", "--json")).stdout)).toEqual(page);
    expect(JSON.parse((await deadLetters("list", "--json")).stdout).queues).toContainEqual({ queue: "stock", count: 2 });
  });

  test("redrives by id, by reason, and all; the events reach their handler", async () => {
    const { consumer, ids } = await givenUp("abab");
    consumers.works();
    const seen = consumer.seen().length;
    expect(await deadLetters("redrive", "stock", "--id", ids[2] as string)).toEqual(done('1 dead letter of "stock" was redriven.'));
    const some = await deadLetters("redrive", "stock", "--id", ids[0] as string, "--id", ids[2] as string);
    expect(some).toMatchObject({ code: 1, stdout: '1 dead letter of "stock" was redriven.' });
    expect(some.stderr).toBe("1 dead letter that you named was not found, or not of this type or reason.");
    expect(JSON.parse((await deadLetters("redrive", "stock", "--reason", "rejected", "--json")).stdout)).toEqual({ redriven: 2 });
    expect(await deadLetters("redrive", "stock", "--all")).toEqual(done('0 dead letters of "stock" were redriven.'));
    const events = (await consumer.untilSeen(seen + 4)).slice(seen);
    expect(events.map(({ id, attempt }) => [id, attempt])).toEqual([ids[2], ids[0], ids[1], ids[3]].map((id) => [id as string, 1]));
  });

  test("discards in a pipe only with --yes", async () => {
    await givenUp("aba");
    const unasked = await deadLetters("discard", "stock", "--all");
    expect([unasked.code, unasked.stderr.split("\n")[0]]).toEqual([
      2,
      "Cannot ask for confirmation without a terminal; use --yes to discard for good.",
    ]);
    expect(await deadLetters("discard", "stock", "--reason", "rejected", "--yes")).toEqual(done('1 dead letter of "stock" was discarded.'));
    expect(await deadLetters("discard", "stock", "--all", "-y")).toEqual(done('2 dead letters of "stock" were discarded.'));
    expect(await deadLetters("list", "stock")).toEqual(done('"stock" has no dead letters.'));
  });

  test("reports a queue that does not exist, with the known queues", async () => {
    await givenUp("a");
    for (const words of [["list"], ["show", "x"], ["redrive", "--all"], ["discard", "--all", "--yes"]]) {
      const { code, stderr } = await deadLetters(words[0] as string, "stokc", ...words.slice(1));
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^There is no queue "stokc".* Known queues: .*stock\.$/)]);
    }
  });
}

describe("bun run dead-letters without a broker", () => {
  onEither(() => "none");

  test("pages and filters a list, and says how to go on", async () => {
    const { ids } = await givenUp("abab");
    const first = await deadLetters("list", "stock", "--reason", "rejected", "--limit", "1");
    expect(first.stdout).toContain(ids[1] as string);
    expect(first.stdout).not.toContain(ids[0] as string);
    const again = /Next page: bun run dead-letters (.*)/.exec(first.stdout)?.[1] ?? "";
    expect(again).toMatch(/^list stock --reason rejected --limit 1 --after \d+$/);
    const second = await deadLetters(...again.split(" "));
    expect(second.stdout).toContain(ids[3] as string);
    expect(second.stdout).not.toContain("Next page");
    expect(await deadLetters("list", "stock", "--type", "item.deleted")).toEqual(done('"stock" has no dead letters that match.'));
  });

  test("shows all details of one, without control characters", async () => {
    const evil = "\u001b[31mred\u202e\u0085\nnew line";
    const { ids } = await givenUp("b", (letter) => `${letter}${evil}`);
    const { code, stdout } = await deadLetters("show", "stock", ids[0] as string);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Dead letter ${ids[0]}$`, "m"));
    for (const fact of [/^ {2}Queue {10}stock$/m, /^ {2}Reason {9}rejected$/m, /^ {2}Error {10}no such shelf$/m, /^ {2}Attempts {7}1$/m]) {
      expect(stdout).toMatch(fact);
    }
    expect(stdout).toMatch(/^ {2}First failure {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00 \((just now|\d+ s ago)\)$/m);
    expect(stdout).toMatch(/^Stack\n {2}Reject: no such shelf\n {6}at warehouse/m);
    expect(stdout).toContain('\n      "name": "b\\u001b[31mred\\u202e\\u0085\\nnew line"');
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    const asJson = await deadLetters("show", "stock", ids[0] as string, "--json");
    expect(asJson.stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ id: ids[0], reason: "rejected", body: { item: { name: `b${evil}` } } });
    expect(await deadLetters("show", "stock", "nobody")).toMatchObject({
      code: 1,
      stderr: '"stock" has no dead letter with the id "nobody".',
    });
  });

  test("asks on a terminal before it discards; only a yes is one", async () => {
    await givenUp("ab");
    for (const keys of ["n\r", "\r", "yellow\r", "\x04", "\x03"]) {
      const asked = onTerminal("dead-letters", ["discard", "stock", "--all"], env);
      await asked.until(/Discard all dead letters of "stock" for good\? \[y\/N\] /);
      asked.type(keys);
      expect([keys, await asked.exited]).toEqual([keys, 1]);
      await asked.until(/Nothing was discarded\./);
    }
    const asked = onTerminal("dead-letters", ["discard", "stock", "--reason", "rejected"], env);
    await asked.until(/Discard the dead letters with reason rejected of "stock" for good\?/);
    asked.type("y\r");
    expect(await asked.exited).toBe(0);
    await asked.until(/1 dead letter of "stock" was discarded\./);
    expect(await deadLetters("list", "--json")).toMatchObject({ code: 0, stdout: expect.stringMatching(/"stock",\s+"count": 1/) });
  });

  test("has colour on a terminal only, and fits into it", async () => {
    const { ids } = await givenUp("ab");
    for (const columns of [80, 130]) {
      const shown = onTerminal("dead-letters", ["list", "stock"], env, columns);
      expect(await shown.exited).toBe(0);
      await shown.until(/no such/);
      expect(shown.text()).toContain("\x1b[1mID");
      const lines = Bun.stripANSI(shown.text()).split("\r\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      for (const id of ids) expect(shown.text()).toContain(id);
    }
    const plain = onTerminal("dead-letters", ["list", "stock"], { ...env, NO_COLOR: "1" });
    expect(await plain.exited).toBe(0);
    await plain.until(/no such/);
    expect(plain.text()).not.toContain("\x1b[");
  });

  test("reports wrong usage in one line, with a hint at the help", async () => {
    for (const [words, mistake] of [
      [[], "Missing command: list, groups, show, redrive or discard."],
      [["lst"], 'Unknown command "lst".'],
      [["show", "stock"], "show needs the id of one event."],
      [["show", "stock", "a", "b"], "show needs the id of one event."],
      [["redrive"], "redrive needs the name of a queue."],
      [["redrive", "stock"], "Select the dead letters to redrive: use --id, --type, --reason, --group, --search or --all."],
      [
        ["redrive", "stock", "--all", "--type", "item.created"],
        "--all cannot be combined with --id, --type, --reason, --group or --search.",
      ],
      [["redrive", "stock", "--all", "--yes"], "redrive does not accept --yes."],
      [["redrive", "stock", "more", "--all"], 'redrive takes one queue. Unexpected argument "more".'],
      [["discard", "stock", "--yes"], "Select the dead letters to discard: use --id, --type, --reason, --group, --search or --all."],
      [["list", "--limit", "3"], "Without a queue, list accepts only --json. Usage: dead-letters list QUEUE."],
      [["list", "stock", "--limit", "none"], "--limit none: use a whole number from 1 to 10000."],
      [["list", "stock", "--after", "-1"], /--after/],
      [["list", "stock", "--colour"], "Unknown option '--colour'."],
    ] as const) {
      const { code, stdout, stderr } = await deadLetters(...words);
      const [said, help, ...more] = stderr.split("\n");
      expect([words, code, stdout]).toEqual([words, 2, ""]);
      expect(said).toMatch(mistake);
      expect([help, more]).toEqual(["Run with --help for usage.", []]);
    }
    const help = await deadLetters("redrive", "--help");
    expect([help.code, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toContain("bun run dead-letters redrive QUEUE --all");
  });

  test("before any consumer ran, there is nothing to list, and it says why", async () => {
    const { code, stdout } = await deadLetters("list");
    expect([code, stdout]).toEqual([0, expect.stringContaining("A consumer creates its queue when it first runs.")]);
  });

  test("reports a mistake in the environment like the API does at its start", async () => {
    const { code, stderr } = await command("dead-letters", ["list"], { ...env, RABBITMQ_URL: "http://x", LOG_LEVEL: "loud" });
    expect([code, stderr]).toEqual([1, expect.stringContaining("The configuration has 2 errors")]);
  });
});

describeWithRabbit("bun run dead-letters on RabbitMQ", () => {
  const rabbit = useRabbit();
  onEither(() => rabbit().url);
  afterEach(() => emptyBroker(rabbit()));

  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    test(`${signal} in the middle of a long redrive loses nothing`, async () => {
      const count = 10_000;
      const dead = deadQueueOnRabbitmq(() => rabbit().url);
      const consumer = await consumers.start({ queue: "stock" });
      await dead.fill("stock", deadEvents(count));
      const redrive = run(["src/commands/dead-letters.ts", "redrive", "stock", "--all", "--json"], { env });
      await eventually(async () => ((await dead.depth("stock")) < count - 1000 ? true : undefined), "the redrive to have begun");
      const code = await redrive.stop(signal);
      const left = await eventually(async () => {
        const { stdout } = await deadLetters("redrive", "stock", "--all", "--json");
        return stdout ? (JSON.parse(stdout) as { redriven: number }).redriven : undefined;
      }, "the rest");
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThan(count);
      if (signal === "SIGINT") {
        expect([code, JSON.parse(redrive.stdout.join("")), redrive.stderr.at(-1)]).toEqual([
          interrupted,
          { redriven: count - left },
          "Stopped early; the remaining dead letters were not changed.",
        ]);
      }
      const ids = () => new Set(consumer.seen().map(({ id }) => id));
      await eventually(() => (consumer.stdout.length >= count && ids().size === count ? true : undefined), "every event", 40_000);
      expect(await dead.depth("stock")).toBe(0);
      if (signal === "SIGINT") expect(consumer.stdout).toHaveLength(count);
    });
  }

  test("reports in one sentence that RabbitMQ does not respond", async () => {
    const away = { ...env, RABBITMQ_URL: "amqp://guest:s3cretpassword@127.0.0.1:1/" };
    const { code, stderr } = await command("dead-letters", ["list"], away);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Cannot reach RabbitMQ at amqp:\/\/\*\*\*@127\.0\.0\.1:1\/ \(.*\)\. Check that it is running/),
    ]);
  });
});
