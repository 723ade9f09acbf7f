// How processes share a queue on PostgreSQL, in simulated time: which has which lanes, and for how long.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { laneCount } from "../src/store/postgres/consumer/schema";
import { isInFull, runs } from "./support/in-full";
import { groupSize, ShareProcess, ShareWorld } from "./support/share-world";
import { latencies } from "./support/simulated-time";

setDefaultTimeout(60_000);

/** Time within which each lane has a process again, in milliseconds. */
const boundMs = 5000;

async function processesOn(count: number, world = new ShareWorld()) {
  const processes = Array.from({ length: count }, (_, n) => new ShareProcess(world, `process ${n + 1}`));
  await world.pass(3000);
  return { world, processes };
}

const isRunning = ({ isAlive, isFrozen, isCut }: ShareProcess) => isAlive && !isFrozen && !isCut;

/** Returns the number of lanes of each process, and of those that none or several of them have. */
function sharesOf(processes: readonly ShareProcess[]) {
  const all = processes.flatMap(({ holding }) => holding);
  return {
    shares: processes.map(({ holding }) => holding.length),
    free: laneCount - new Set(all).size,
    doubled: all.length - new Set(all).size,
  };
}

describe("the lanes of a queue", () => {
  test.each([
    [1, [32]],
    [2, [16, 16]],
    [3, [11, 11, 10]],
    [5, [7, 7, 6, 6, 6]],
    [32, Array.from({ length: 32 }, () => 1)],
  ])("are shared by %d processes", async (count, expected) => {
    const { world, processes } = await processesOn(count);
    const { shares, ...faults } = sharesOf(processes);
    expect([shares.sort((one, other) => other - one), faults]).toEqual([expected, { free: 0, doubled: 0 }]);
    const before = world.lanes.map(({ epoch }) => epoch);
    await world.pass(20_000);
    // At rest, none changes its process.
    expect(world.lanes.map(({ epoch }) => epoch)).toEqual(before);
    expect(world.misplacedEffects).toEqual([]);
  });

  test("leave nothing for a 33rd process, which takes over when another one ends", async () => {
    const { world, processes } = await processesOn(33);
    const idle = processes.filter(({ holding }) => holding.length === 0);
    expect(idle).toHaveLength(1);
    processes.find(({ holding }) => holding.length === 1)?.stop();
    await world.pass(2500);
    expect([idle[0]?.holding.length, sharesOf(processes).free]).toEqual([1, 0]);
  });

  test("go to a process that joins, one by one, without a moment in which two have one", async () => {
    const { world, processes } = await processesOn(2);
    processes.push(new ShareProcess(world, "process 3"));
    for (let ms = 0; ms < 3000; ms += 10) {
      await world.pass(10);
      expect(sharesOf(processes).doubled).toBe(0);
    }
    expect(sharesOf(processes).shares.sort()).toEqual([10, 11, 11]);
    expect([ShareWorld.late(world.handled), world.misplacedEffects]).toEqual([[], []]);
  });

  test("of a process that stops are with the others within 1.5 s", async () => {
    const { world, processes } = await processesOn(3);
    processes[0]?.stop();
    await world.pass(1500);
    expect(sharesOf(processes)).toEqual({ shares: [0, 16, 16], free: 0, doubled: 0 });
  });

  test.each([
    ["was killed", { isAlive: false }],
    ["is suspended", { isFrozen: true }],
    ["cannot reach the database", { isCut: true }],
  ])("of a process that %s are with the others within 5 s, and not before its lease is over", async (_, state) => {
    // At any time between two renewals.
    for (const offset of isInFull ? [0, 250, 500, 750, 999] : [0, 999]) {
      const { world, processes } = await processesOn(3);
      await world.pass(offset);
      const [lost, ...others] = processes as [ShareProcess, ShareProcess, ShareProcess];
      const lanes = lost.holding;
      Object.assign(lost, state);
      const takenFrom = () => others.flatMap(({ holding }) => holding).filter((lane) => lanes.includes(lane)).length;
      await world.pass(1900);
      expect(takenFrom()).toBe(0);
      await world.pass(boundMs - 1900);
      expect([takenFrom(), sharesOf(others)]).toEqual([lanes.length, { shares: [16, 16], free: 0, doubled: 0 }]);
      expect(ShareWorld.late(world.handled)).toEqual([]);
    }
  });

  test("that a suspended process lost are not handled for one moment when it wakes, and its commit is refused", async () => {
    const { world, processes } = await processesOn(2);
    const [first] = processes as [ShareProcess];
    first.isFrozen = true;
    await world.pass(6000);
    first.isFrozen = false;
    await world.pass(6000);
    expect([sharesOf(processes).shares, ShareWorld.late(world.handled), world.misplacedEffects]).toEqual([[16, 16], [], []]);
  });

  test("would be handled by two if a process did not ask before each event, and the fence alone keeps effects right", async () => {
    const world = new ShareWorld();
    const careless = new ShareProcess(world, "careless", { asksFirst: false });
    await processesOn(1, world);
    // It has begun what it commits together.
    const last = () => world.handled.findLast(({ process }) => process === careless.name)?.position ?? 0;
    while (last() % groupSize !== 1) await world.pass(1);
    careless.isFrozen = true;
    await world.pass(6000);
    careless.isFrozen = false;
    await world.pass(500);
    expect(ShareWorld.late(world.handled).length).toBeGreaterThan(0);
    expect(world.misplacedEffects).toEqual([]);
  });

  test.each([
    ["back", -3_600_000],
    ["forward", 3_600_000],
  ])("stay where they are if the clock of the database is put %s, and are still taken over", async (_, offset) => {
    const { world, processes } = await processesOn(3);
    const before = world.lanes.map(({ epoch }) => epoch);
    world.databaseOffset += offset;
    await world.pass(10_000);
    expect(world.lanes.map(({ epoch }) => epoch)).toEqual(before);
    world.databaseOffset += offset;
    (processes[0] as ShareProcess).isAlive = false;
    await world.pass(boundMs);
    expect(sharesOf(processes.slice(1))).toEqual({ shares: [16, 16], free: 0, doubled: 0 });
    expect([ShareWorld.late(world.handled), world.misplacedEffects]).toEqual([[], []]);
  });

  test("of a process that is suspended for a moment in which the clock is put forward stay with it", async () => {
    const { world, processes } = await processesOn(3);
    const [first] = processes as [ShareProcess];
    // Right before it renews them.
    await world.pass(900);
    first.isFrozen = true;
    world.databaseOffset += 3_600_000;
    await world.pass(1800);
    first.isFrozen = false;
    await world.pass(6000);
    expect([ShareWorld.late(world.handled), world.misplacedEffects]).toEqual([[], []]);
  });

  test("whose taking was answered too late are taken again when nobody renews them", async () => {
    const { world, processes } = await processesOn(1);
    const [first] = processes as [ShareProcess];
    first.isAlive = false;
    await world.pass(10_000);
    const second = new ShareProcess(world, "process 2");
    // The database takes the lanes for it, and the answer is lost.
    while (world.lanes.every(({ holder }) => holder !== second.name)) await world.pass(1);
    second.isCut = true;
    await world.pass(10);
    second.isCut = false;
    await world.pass(15_000);
    expect(sharesOf([second])).toEqual({ shares: [32], free: 0, doubled: 0 });
  });
});

test("property: whatever befalls processes, messages and clocks, no lane has two holders, and in the end each has one", async () => {
  const faults = ["freeze", "thaw", "cut", "mend", "kill", "start", "stop", "clock back", "clock forward", "wait"] as const;
  const step = fc.record({ what: fc.constantFrom(...faults), whom: fc.nat(9), ms: fc.integer({ min: 1, max: 4000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), latencies(1200), async (steps, delays) => {
      let calls = 0;
      let isCalm = false;
      const world = new ShareWorld(() => (isCalm ? 2 : (delays[calls++ % delays.length] as number)));
      const processes: ShareProcess[] = [];
      const start = () => processes.push(new ShareProcess(world, `process ${processes.length + 1}`, { handlingMs: 150 }));
      for (const _ of [1, 2, 3]) start();
      for (const { what, whom, ms } of steps) {
        const process = processes[whom % processes.length] as ShareProcess;
        if (what === "freeze") process.isFrozen = true;
        if (what === "thaw") process.isFrozen = false;
        if (what === "cut") process.isCut = true;
        if (what === "mend") process.isCut = false;
        if (what === "kill") process.isAlive = false;
        if (what === "stop") process.stop();
        if (what === "start") start();
        if (what === "clock back") world.databaseOffset -= ms * 100;
        if (what === "clock forward") world.databaseOffset += ms * 100;
        await world.pass(ms);
      }
      isCalm = true;
      for (const process of processes) process.isFrozen = process.isCut = false;
      start();
      // The time-out of a lost message, a lease that was just renewed, and the release of lanes.
      await world.pass(14_000);
      const living = processes.filter((process) => isRunning(process) && process.share);
      const { shares, ...lanes } = sharesOf(living);
      expect([ShareWorld.late(world.handled), world.misplacedEffects, lanes]).toEqual([[], [], { free: 0, doubled: 0 }]);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      const at = world.effects.length;
      await world.pass(1000);
      expect(new Set(world.effects.slice(at).map(({ lane }) => lane)).size).toBe(laneCount);
    }),
    runs(3),
  );
});
