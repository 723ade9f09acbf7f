// Leases of tasks, in simulated time: who leads, and for how long.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LeaseProcess, LeaseWorld } from "./support/lease-world";
import { latencies } from "./support/simulated-time";

/** Returns a world with some processes, of which the first leads. */
async function processesOn(count: number, options?: { asksFirst: boolean }) {
  const world = new LeaseWorld();
  const processes: LeaseProcess[] = [];
  for (let n = 1; n <= count; n += 1) {
    processes.push(new LeaseProcess(world, `process ${n}`, options));
    await world.pass(50);
  }
  const [first, second] = processes as [LeaseProcess, LeaseProcess];
  const leaders = () => processes.filter(({ isAlive, isFrozen, isLeading }) => isAlive && !isFrozen && isLeading).map(({ name }) => name);
  return { world, processes, first, second, leaders };
}

/** Returns the acts of a leader that came after those of a later one. */
function lateActs({ acts }: LeaseWorld) {
  let highest = 0;
  return acts.filter(({ epoch }) => {
    highest = Math.max(highest, epoch);
    return epoch < highest;
  });
}

describe("a task", () => {
  test("is led by one process for as long as it runs", async () => {
    const { world, leaders } = await processesOn(3);
    for (let second = 0; second < 20; second += 1) {
      await world.pass(1000);
      expect(leaders()).toEqual(["process 1"]);
    }
    expect(new Set(world.acts.map(({ epoch }) => epoch))).toEqual(new Set([1]));
  });

  test("goes to another process as soon as its leader stops", async () => {
    const { world, first, leaders } = await processesOn(2);
    first.stop();
    await world.pass(20);
    expect(leaders()).toEqual([]);
    await first.leases.released();
    await world.pass(1100);
    expect(leaders()).toEqual(["process 2"]);
  });

  test("goes at once if the other process learns that it is free", async () => {
    const { world, first, second, leaders } = await processesOn(2);
    first.stop();
    await world.pass(15);
    second.leases.wake();
    await world.pass(15);
    expect(leaders()).toEqual(["process 2"]);
  });

  test.each([
    ["was killed", { isAlive: false }],
    ["is suspended", { isFrozen: true }],
    ["cannot reach the database", { isCut: true }],
  ])("goes to another process within 3.5 s if its leader %s", async (_, state) => {
    const { world, first, leaders } = await processesOn(2);
    await world.pass(10_000);
    Object.assign(first, state);
    await world.pass(1900);
    expect(leaders()).not.toContain("process 2");
    await world.pass(1600);
    expect(leaders()).toEqual(["process 2"]);
    expect(lateActs(world)).toEqual([]);
  });

  test("that a suspended leader lost is not led for one moment when it wakes, and is led again when the other ends", async () => {
    const { world, first, second, leaders } = await processesOn(2);
    first.isFrozen = true;
    await world.pass(5000);
    first.isFrozen = false;
    await world.pass(5000);
    expect([leaders(), lateActs(world)]).toEqual([["process 2"], []]);
    second.isAlive = false;
    await world.pass(3600);
    expect(leaders()).toEqual(["process 1"]);
  });

  test("would be led by two if a leader asked its signal only: a suspended one acts before its timers say that it lost", async () => {
    const { world, first } = await processesOn(2, { asksFirst: false });
    await world.pass(10);
    first.isFrozen = true;
    await world.pass(5000);
    first.isFrozen = false;
    await world.pass(100);
    expect(lateActs(world).length).toBeGreaterThan(0);
  });

  test("is held from the sending of a renewal, and not from its late answer", async () => {
    const { world, first, leaders } = await processesOn(2);
    await world.pass(850);
    world.latency = () => 900;
    await world.pass(1000);
    first.isCut = true;
    world.latency = () => 2;
    await world.pass(4000);
    expect([leaders(), lateActs(world)]).toEqual([["process 2"], []]);
  });

  test("is given up with the next renewal if its row is gone", async () => {
    const { world, leaders } = await processesOn(2);
    await world.pass(1100);
    world.rows.set("relay", { holder: "an operator", epoch: 7, expiresAt: world.now + 60_000 });
    await world.pass(1010);
    expect(leaders()).toEqual([]);
  });

  test("is looked at again at once if it may have become free during a look", async () => {
    const { world, first, second, leaders } = await processesOn(2);
    await world.pass(3000);
    const looked = world.looks;
    world.latency = () => 100;
    while (world.looks < looked + 1) await world.pass(1);
    world.latency = () => 2;
    first.stop();
    await world.pass(50);
    second.leases.wake();
    await world.pass(70);
    expect(leaders()).toEqual(["process 2"]);
  });

  test("stays with its leader if the database's clock is put back, and can still be taken over", async () => {
    const { world, first, leaders } = await processesOn(2);
    await world.pass(4000);
    world.databaseOffset = -3_600_000;
    await world.pass(10_000);
    expect(leaders()).toEqual(["process 1"]);
    world.databaseOffset = -7_200_000;
    first.isAlive = false;
    await world.pass(4200);
    expect(leaders()).toEqual(["process 2"]);
  });

  test("is released with the last of several works of one process", async () => {
    const { world, first, leaders } = await processesOn(2);
    const stop = new AbortController();
    const epochs: number[] = [];
    void first.leases.lead("relay", stop.signal, async ({ until, epoch }) => {
      epochs.push(epoch);
      await new Promise<void>((resolve) => until.addEventListener("abort", () => resolve()));
    });
    await world.pass(10);
    first.stop();
    await world.pass(10_000);
    expect([leaders(), epochs]).toEqual([[], [1]]);
    stop.abort();
    await world.pass(1100);
    expect(leaders()).toEqual(["process 2"]);
  });

  test("of a process that was told to end, but does not, goes to another one", async () => {
    const { world, first, second } = await processesOn(2);
    const stop = new AbortController();
    void first.leases.lead("relay", stop.signal, () => new Promise(() => {}));
    await world.pass(10);
    first.stop();
    stop.abort();
    await world.pass(3600);
    expect(second.isLeading).toBe(true);
  });
});

test("settles as its work does, and without it if it is stopped first", async () => {
  const { world, first, second } = await processesOn(2);
  const never = new AbortController();
  expect(first.leases.lead("relay", never.signal, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  const stop = new AbortController();
  let ended = false;
  const waiting = second.leases
    .lead("relay", stop.signal, () => Promise.reject(new Error("must not run")))
    .then(() => {
      ended = true;
    });
  await world.pass(5000);
  expect(ended).toBe(false);
  stop.abort();
  await world.pass(10);
  await waiting;
});

test("property: whatever befalls processes and messages, no leader acts after a later one has, and somebody leads in the end", async () => {
  const faults = ["freeze", "thaw", "cut", "mend", "kill", "start", "stop", "clock back", "wait"] as const;
  const step = fc.record({ what: fc.constantFrom(...faults), whom: fc.nat(9), ms: fc.integer({ min: 1, max: 4000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), latencies(4000), async (steps, delays) => {
      let calls = 0;
      let isCalm = false;
      const world = new LeaseWorld(() => (isCalm ? 2 : (delays[calls++ % delays.length] as number)));
      const processes = [1, 2, 3].map((n) => new LeaseProcess(world, `process ${n}`));
      const start = () => processes.push(new LeaseProcess(world, `process ${processes.length + 1}`));
      for (const { what, whom, ms } of steps) {
        const process = processes[whom % processes.length] as LeaseProcess;
        if (what === "freeze") process.isFrozen = true;
        if (what === "thaw") process.isFrozen = false;
        if (what === "cut") process.isCut = true;
        if (what === "mend") process.isCut = false;
        if (what === "kill") process.isAlive = false;
        if (what === "stop") process.stop();
        if (what === "start") start();
        if (what === "clock back") world.databaseOffset -= ms * 100;
        await world.pass(ms);
      }
      isCalm = true;
      for (const process of processes) process.isFrozen = process.isCut = false;
      start();
      // The longest message, the time-out of a lost one, and a lease that was just renewed.
      await world.pass(14_000);
      expect(lateActs(world)).toEqual([]);
      const { at, epoch } = world.acts.at(-1) ?? { at: 0, epoch: 0 };
      expect(world.now - at).toBeLessThan(10);
      expect(epoch).toBe(world.rows.get("relay")?.epoch ?? 0);
    }),
    { numRuns: 60 },
  );
});
