// The audit's history, kept by real processes on both transports, and what `--show` prints of it.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { auditIn, Changes, inOrder, startAudit } from "../support/audited";
import { countries } from "../support/countries";
import { environmentOf, forEachEngine, type Places } from "../support/engines";
import { endAll, eventually, send, startApi } from "../support/processes";
import { describeWithRabbit, emptyBroker, messagesIn, useRabbit } from "../support/rabbit";
import { useFolder } from "../support/use-folder";

// Real processes take their time on a busy machine; one that hangs still ends.
setDefaultTimeout(240_000);

const folder = useFolder();
let places: Places;
let env: Record<string, string>;

const names = countries.flatMap((country) => country.names);

const nothingBesides = { forgotten: [], withoutEffect: [], dead: [], waiting: 0 };

function keepsTheHistory(): void {
  test("the history is what was done: 500 items made, changed and removed, beside each other", async () => {
    const api = await startApi({ env });
    const running = await startAudit({ env });
    const changes = new Changes(api.url);
    const todo = names.slice(0, 500).entries();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (const [number, name] of todo) await changes.live(number, name);
      }),
    );
    const history = auditIn(places);
    await history.until(changes.done.length);
    expect(await running.stop()).toBe(0);
    expect(await history.lines()).toEqual(inOrder(changes.done));
    expect(await history.state()).toEqual(nothingBesides);
  });

  test("killed with -9 ten times under load: each event is in the history exactly once, and none is lost", async () => {
    const api = await startApi({ env });
    const changes = new Changes(api.url);
    const history = auditIn(places);
    // The writers stay ahead of the audit, but never so far that they would have to end before it was killed ten times.
    let [writing, goal] = [true, 0];
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let number = writer; writing; number += 4) {
        await eventually(() => !writing || changes.done.length < goal || undefined, "the audit to come closer");
        await changes.live(number, names[number % names.length] as string);
      }
    });
    const seen: number[] = [];
    for (let kill = 1; kill <= 10; kill += 1) {
      const running = await startAudit({ env });
      const from = await history.count();
      goal = from + 600;
      await history.until(from + 1 + Math.floor(Math.random() * 300));
      await running.stop("SIGKILL");
      seen.push(await history.count());
    }
    const atTheEnd = seen.at(-1) as number;
    goal = atTheEnd + 600;
    await eventually(() => changes.done.length > atTheEnd || undefined, "a change after the last kill");
    writing = false;
    await Promise.all(writers);
    const last = await startAudit({ env });
    await history.until(changes.done.length, 90_000);
    expect(await last.stop()).toBe(0);
    expect(await history.lines()).toEqual(inOrder(changes.done));
    expect(await history.state()).toEqual(nothingBesides);
    // Each kill was in the middle of the work.
    expect(seen.at(-1)).toBeLessThan(changes.done.length);
    expect(new Set(seen).size).toBe(10);
  });

  test("a replay, forced or not, changes nothing", async () => {
    const api = await startApi({ env });
    const running = await startAudit({ env });
    const changes = new Changes(api.url);
    for (let number = 0; number < 20; number += 1) await changes.live(number, "replayed");
    const history = auditIn(places);
    await history.until(changes.done.length);
    for (const force of [false, true]) {
      const started = await send("POST", `${api.url}/replays`, { queue: "audit", force });
      const { id } = (await started.json()) as { id: string };
      await eventually(async () => {
        const replay = (await (await send("GET", `${api.url}/replays/${id}`)).json()) as { state: string; sent: number };
        return replay.state === "finished" && replay.sent === changes.done.length ? true : undefined;
      }, "the replay to be finished");
    }
    // What comes after a replay on the same queue is handled after it.
    await changes.create({ name: "after" });
    await history.until(changes.done.length);
    expect(await running.stop()).toBe(0);
    expect(await history.lines()).toEqual(inOrder(changes.done));
    expect(await history.state()).toEqual(nothingBesides);
  });
}

forEachEngine((placesIn) => {
  beforeEach(() => {
    places = placesIn(folder.path);
    env = environmentOf(places);
  });

  describe("without a broker", keepsTheHistory);

  describeWithRabbit("with RabbitMQ", () => {
    const rabbit = useRabbit();
    beforeEach(() => {
      env = environmentOf(places, rabbit().url);
    });
    afterEach(async () => {
      await endAll();
      // Everything went to the history, and nothing is left over elsewhere.
      expect(await messagesIn(rabbit())).toMatchObject({ audit: 0 });
      await emptyBroker(rabbit());
    });
    keepsTheHistory();
  });
});
