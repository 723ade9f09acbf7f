// Timelines of events, over HTTP and by `bun run events show`: real processes on both transports.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { ConsumerTimeline, Timeline } from "../../src/delivery/timeline";
import { command, onTerminal } from "../support/command";
import { eventually, send } from "../support/processes";
import { untilDead } from "../support/queue-consumer";
import { describeWithRabbit, emptyBroker, useRabbit } from "../support/rabbit";
import { useSystem } from "../support/use-system";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(60_000);

const { api, consumers, env, runOn } = useSystem();

const timeline = async (id: string) => (await (await send("GET", `${api.url}/events/${id}/timeline`)).json()) as Timeline;
const consumerOf = ({ consumers }: Timeline, queue: string) => consumers.find((each) => each.queue === queue) as ConsumerTimeline;

/** Creates an item. Returns the id of its event. */
async function create(name: string): Promise<string> {
  await fetch(`${api.url}/items`, {
    method: "POST",
    body: JSON.stringify({ name }),
    headers: { "content-type": "application/json", "x-request-id": `for-${name}` },
  });
  const { events } = (await (await send("GET", `${api.url}/events?limit=200`)).json()) as { events: { event: { id: string } }[] };
  return events.at(-1)?.event.id as string;
}

/** Asks until RabbitMQ, if there is one, and a consumer have come so far. */
const until = (id: string, queue: string, state: string, isTold: (told: Timeline) => boolean = () => true) =>
  eventually(async () => {
    const told = await timeline(id);
    return consumerOf(told, queue)?.state === state && told.broker.state !== "pending" && isTold(told) ? told : undefined;
  }, `${id} to be ${state} at ${queue}`);

function onEither(rabbitmqUrl: () => string, transport: Timeline["transport"]): void {
  runOn(rabbitmqUrl);

  beforeEach(api.start);

  test("an event that is handled, one that is tried again, one that is given up, and one that is put back", async () => {
    consumers.fails({ flaky: "once", bad: "reject", back: "reject" });
    const stock = await consumers.start({ queue: "stock", events: ["item.created"] });
    await consumers.start({ queue: "ledger", exactlyOnce: true });
    const [fine, flaky, bad, back] = [await create("fine"), await create("flaky"), await create("bad"), await create("back")];
    for (const queue of ["stock", "ledger"]) await untilDead(api.url, queue, 2);

    const handled = await until(fine, "ledger", "handled");
    expect(handled).toMatchObject({ id: fine, type: "item.created", subject: 1, position: 1, transport, request: { id: "for-fine" } });
    const confirmed = handled.broker.confirmedBy;
    expect([handled.broker.state, confirmed !== null]).toEqual(transport === "rabbitmq" ? ["confirmed", true] : ["none", false]);
    const times = [handled.request.at, handled.committedAt, confirmed ?? handled.committedAt, new Date().toISOString()];
    expect(times).toEqual(times.toSorted());
    expect(Date.parse(consumerOf(handled, "ledger").at ?? "")).toBeGreaterThanOrEqual(Date.parse(handled.committedAt));
    await stock.untilSeen(1);
    if (transport === "embedded") await until(fine, "stock", "handled");
    // RabbitMQ does not tell, and nothing is guessed.
    else
      expect(consumerOf(handled, "stock")).toMatchObject({
        state: "unknown",
        note: expect.stringContaining("keeps no record"),
        attempts: [],
      });

    const retried = consumerOf(await until(flaky, "stock", "handled"), "stock");
    expect(retried.attempts).toMatchObject([
      { attempt: 1, outcome: "retry", reason: null, error: "TypeError: the warehouse does not answer" },
      { attempt: 2, outcome: "handled", reason: null, error: null, nextAt: null },
    ]);
    const [first, second] = retried.attempts;
    expect(Date.parse(second?.at ?? "") - Date.parse(first?.at ?? "")).toBeGreaterThanOrEqual(30);
    expect(retried.at).toBe(second?.at as string);
    const delay = Date.parse(first?.nextAt ?? "") - Date.parse(first?.at ?? "");
    // 40 ms at most, a quarter less or more.
    expect([30, 40]).toContain(delay);

    const given = { attempt: 1, outcome: "dead-letter", reason: "rejected", error: "no such shelf", nextAt: null };
    expect(consumerOf(await until(bad, "stock", "dead-letter"), "stock").attempts).toMatchObject([given]);
    consumers.works();
    await send("POST", `${api.url}/dead-letters/stock/redrive`, { ids: [back] });
    const redriven = consumerOf(await until(back, "stock", "handled"), "stock");
    expect(redriven.attempts).toMatchObject([given, { attempt: 1, outcome: "handled" }]);
    await until(back, "ledger", "dead-letter");

    // The command says the same, without the API.
    const told = await timeline(flaky);
    await api.stop();
    const asJson = await command("events", ["show", flaky, "--json"], env);
    expect([asJson.code, asJson.stderr, JSON.parse(asJson.stdout)]).toEqual([0, "", told]);
    const { code, stdout } = await command("events", ["show", flaky], env);
    expect(code).toBe(0);
    const steps = [`Event ${flaky}`, "request received: for-flaky", "committed"];
    if (transport === "rabbitmq") steps.push("confirmed at this time or earlier");
    for (const step of [...steps, `attempt 1 failed, next attempt due after ${delay} ms`, "attempt 2: handled"])
      expect(stdout).toContain(step);
    expect(stdout).toMatch(/^stock +handled$/m);
    const other = await command("events", ["show", Bun.randomUUIDv7()], env);
    expect([other.code, other.stdout, other.stderr]).toEqual([1, "", expect.stringContaining("has no event with the id")]);
  });
}

describe("without a broker", () => {
  onEither(() => "none", "embedded");

  test("the command has colour on a terminal only, fits into it, and says what is wrong with the words", async () => {
    const id = await create("a");
    const shown = onTerminal("events", ["show", id], env, 80);
    expect(await shown.exited).toBe(0);
    await shown.until(/No known consumer/);
    expect(shown.text()).toContain("\x1b[1mTIME");
    const lines = Bun.stripANSI(shown.text()).split("\r\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    // A RabbitMQ that is away takes away only what it alone knows.
    const away = await command("events", ["show", id, "--json"], { ...env, RABBITMQ_URL: "amqp://guest:s3cretpassword@127.0.0.1:1/" });
    expect(JSON.parse(away.stdout)).toMatchObject({
      broker: { state: "pending" },
      consumers: [{ queue: "item_events", state: "waiting" }],
    });
    for (const [words, mistake] of [
      [[], "Missing command: show."],
      [["list"], 'Unknown command "list".'],
      [["show"], "show needs the id of one event."],
      [["show", id, id], "show needs the id of one event."],
    ] as const) {
      const { code, stdout, stderr } = await command("events", words, env);
      expect([code, stdout, stderr.split("\n")[0]]).toEqual([2, "", mistake]);
    }
  });
});

describeWithRabbit("on RabbitMQ", () => {
  const rabbit = useRabbit();
  onEither(() => rabbit().url, "rabbitmq");
  afterEach(() => emptyBroker(rabbit()));
});
