// What an embedded consumer does with the lanes that it gets, gives up and loses.
import { expect, test } from "bun:test";
import { HeldLanes } from "../src/embedded/held-lanes";
import { LaneCursors } from "../src/embedded/lane-cursors";
import type { Lane, Share } from "../src/store/consumer/lanes";

type Parts = ConstructorParameters<typeof HeldLanes>[0];

const lane = (number: number): Lane => ({ number, epoch: 1 });

/** A share whose lanes a test changes. */
class TestShare implements Share {
  readonly count = 4;
  readonly released: number[] = [];
  held: Lane[] = [];
  due = 4;

  get lanes(): Lane[] {
    return this.held.slice(0, this.due);
  }
  get surplus(): Lane[] {
    return this.held.slice(this.due);
  }
  holds(lane: Lane): boolean {
    return this.held.includes(lane);
  }
  async release(lane: Lane): Promise<void> {
    this.released.push(lane.number);
    this.held = this.held.filter((each) => each !== lane);
  }
  async leave(): Promise<void> {}
}

function heldLanes() {
  const share = new TestShare();
  const main = new LaneCursors(share.count);
  let isAvailable = true;
  const store = {
    takeLanes: async (_: string, lanes: readonly Lane[]) => {
      if (!isAvailable) throw new Error("away");
      return lanes.map(() => ({ position: 0, begun: 0 }));
    },
    together: async (work: (own: object) => Promise<void>) => work({ saveProgress: async () => [] }),
  };
  const parts = {
    share,
    main,
    store,
    log: { logId: "log", end: async () => 0 },
    replays: [],
    deliveries: { has: () => false, takeBack: () => [], forget: () => {} },
    writes: { write: (work: () => Promise<void>) => work().then(() => true) },
  };
  const lanes = new HeldLanes(parts as unknown as Parts);
  const setAvailable = (available: boolean) => {
    isAvailable = available;
  };
  return { share, lanes, setAvailable, active: () => lanes.active.map(({ number }) => number) };
}

test("lanes that another process should have are released, those in which it has not begun at once", async () => {
  const { share, lanes, active } = heldLanes();
  share.held = [0, 1, 2, 3].map(lane);
  // It waited for the log, and another process has joined.
  share.due = 2;
  await lanes.follow();
  expect([active(), share.released]).toEqual([
    [0, 1],
    [2, 3],
  ]);
  share.due = 1;
  await lanes.follow();
  expect([active(), share.released]).toEqual([[0], [2, 3, 1]]);
});

test("lanes that it could not begin to read are released like the others", async () => {
  const { share, lanes, setAvailable, active } = heldLanes();
  share.held = [0, 1].map(lane);
  setAvailable(false);
  expect(lanes.follow()).rejects.toThrow("away");
  setAvailable(true);
  share.due = 1;
  await lanes.follow();
  expect([active(), share.released]).toEqual([[0], [1]]);
});
