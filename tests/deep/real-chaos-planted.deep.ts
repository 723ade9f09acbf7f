// The fault suite is tested itself: five bugs, each planted into one method of a service that runs for this test alone, are
// found by their names. No other promise is broken by them.
import { afterAll, afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { faults } from "../chaos/faults";
import { run } from "../chaos/run";
import { endAll } from "../support/processes";
import { describeWithRabbit, emptyBroker, type OwnRabbit, startRabbit } from "../support/rabbit";

setDefaultTimeout(180_000);

describeWithRabbit("a planted bug:", () => {
  let rabbit: OwnRabbit | undefined;
  afterEach(endAll);
  afterAll(() => rabbit?.dispose());

  // `must`: violations that have to be found. `may`: violations that some runs find as well.
  test.each<[bug: string, where: "api" | "consumers", fault: string, strikes: number, must: string[], may?: string[]]>([
    ["ack-before-effect", "consumers", "consumer-kill", 3, ["lost-event"]],
    ["no-inbox", "consumers", "consumer-kill", 4, ["doubled-effect"]],
    ["position-before-confirm", "api", "half-open", 1, ["lost-event"]],
    ["unroutable-as-confirmed", "api", "queues-gone", 1, ["lost-event"]],
    ["event-outside-transaction", "api", "api-kill", 5, ["event-missing", "lost-write"], ["gap-in-log", "row-missing"]],
  ])("%s in the %s is found by %s", async (bug, where, name, strikes, must, may = []) => {
    rabbit ??= await startRabbit();
    await emptyBroker(rabbit);
    const fault = faults.find((known) => known.name === name);
    if (!fault) throw new Error(`There is no fault "${name}".`);
    const preload = { [where]: `tests/support/planted/${bug}.ts` };
    const result = await run({ fault, transport: "rabbitmq", seed: 1, strikes, isShort: true, rabbit, preload, patienceMs: 5000 });
    const found = result.violations.map((violation) => violation.name);
    expect(found).toEqual(expect.arrayContaining(must));
    expect(found.filter((violation) => ![...must, ...may].includes(violation))).toEqual([]);
  });
});
