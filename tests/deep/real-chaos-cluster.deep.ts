// A short round of `bun run chaos --cluster` with a fixed seed: each strike once, and no guarantee is broken. Then bugs that it must find.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { bugs } from "../chaos/cluster/bugs";
import { type Environment, startEnvironment } from "../chaos/cluster/environment";
import { runCluster } from "../chaos/cluster/run";
import { type ClusterStrike, dieBeforeAck, possibleStrikes, strikes } from "../chaos/cluster/strikes";
import { describeWithPostgres } from "../support/postgres";
import { endAll } from "../support/processes";
import { describeWithRabbit } from "../support/rabbit";

setDefaultTimeout(420_000);

const seed = Number(process.env["CHAOS_SEED"] ?? "20261129");

/** Strikes only where another process of the queue gets what the dead one has not acknowledged. */
const sharedConsumerKill: ClusterStrike = {
  name: "shared-consumer-kill",
  title: "a consumer that shares its queue dies between an effect and the acknowledgement",
  strike: (system) => dieBeforeAck(system, system.consumers[0]),
};

describeWithPostgres("three processes of the API on PostgreSQL", () => {
  describeWithRabbit("and three brokers:", () => {
    let environment: Environment;
    beforeAll(async () => {
      environment = await startEnvironment();
    });
    afterAll(async () => {
      await environment?.dispose();
      await endAll();
    });

    test("after each strike once, nothing is lost, out of order or done twice", async () => {
      const possible = possibleStrikes(strikes, environment);
      const result = await runCluster({ environment, seed, strikes: possible.length, inTurn: true });
      console.log(JSON.stringify(result));
      expect(result.violations).toEqual([]);
      expect(Object.keys(result.strikes).sort()).toEqual(possible.map(({ name }) => name).sort());
      expect(result.figures.acknowledged).toBeGreaterThan(500);
      expect(result.figures.unknown).toBe(0);
    });

    // `must`: violations that have to be found. `may`: violations that some runs find as well.
    // `patienceMs` is short only where events are lost: a reader rests between two looks, and longer on a busy machine.
    test.each<[bug: keyof typeof bugs, strike: string, strikes: number, must: string, may: string[], patienceMs: number]>([
      [
        "no-order-lock",
        "api-kill",
        3,
        "read-lost",
        [
          "unexpected-write",
          "gap-in-log",
          "doubled-write",
          "wrong-answer",
          "event-missing",
          "wrong-sum",
          "torn-transfer",
          "lost-event",
          "out-of-order",
        ],
        5000,
      ],
      ["relay-without-fence", "leader-freeze", 3, "stale-position", ["lost-event", "out-of-order"], 20_000],
      ["inbox-per-process", "shared-consumer-kill", 4, "doubled-effect", [], 20_000],
    ])("%s is found by %s", async (bug, name, count, must, may, patienceMs) => {
      const chosen = [[...strikes, sharedConsumerKill].find((strike) => strike.name === name) as ClusterStrike] as const;
      const result = await runCluster({ environment, seed, strikes: count, chosen, bugs: bugs[bug], patienceMs });
      const found = result.violations.map((violation) => violation.name);
      expect(found).toContain(must);
      expect(found.filter((violation) => ![must, ...may].includes(violation))).toEqual([]);
    });
  });
});
