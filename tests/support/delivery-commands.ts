import { expect } from "bun:test";
import fc from "fast-check";
import type { DeliveryModel, Fault } from "./delivery-model";
import type { DeliverySystem, Moment } from "./delivery-system";

export type Command = fc.AsyncCommand<DeliveryModel, DeliverySystem>;

/** Creates a command: an action on the service or on its consumer. */
function command(name: string, run: Command["run"], check: Command["check"] = () => true): Command {
  return { run, check, toString: () => name };
}

async function published(model: DeliveryModel, system: DeliverySystem): Promise<void> {
  for (const { id, subject } of await system.newEvents()) model.publish(id, subject);
}

/** Lets the consumer run until it is idle, and checks the result against the model. */
async function settle(model: DeliveryModel, system: DeliverySystem): Promise<void> {
  await system.settle();
  expect(model.settle(await system.observe())).toEqual([]);
}

const insert = command("insert", async (model, system) => {
  model.items.push(await system.insert());
  await published(model, system);
});

const hasItems = (model: Readonly<DeliveryModel>) => model.items.length > 0;
const itemAt = (model: DeliveryModel, index: number) => model.items[index % model.items.length] as number;

const update = (index: number) =>
  command(
    `update(${index})`,
    async (model, system) => {
      await system.update(itemAt(model, index));
      await published(model, system);
    },
    hasItems,
  );

const remove = (index: number) =>
  command(
    `remove(${index})`,
    async (model, system) => {
      const id = itemAt(model, index);
      await system.remove(id);
      model.items = model.items.filter((other) => other !== id);
      await published(model, system);
    },
    hasItems,
  );

/** Sets a fault; undefined removes it. IDs are assigned in order, so a future item can be named. */
const fault = (id: number, kind: Fault | undefined) =>
  command(`${kind ?? "heal"}(${id})`, async (model, system) => {
    model.setFault(id, kind);
    if (kind) system.faults.set(id, kind);
    else system.faults.delete(id);
  });

const isRunning = (model: Readonly<DeliveryModel>) => model.isRunning;
const isIdle = (model: Readonly<DeliveryModel>) => !model.isRunning;
/** While a stopped consumer has pending events, its final dead letters are unknown. */
const canSettle = (model: Readonly<DeliveryModel>) => model.isRunning || model.isSettled;

const consume = command("consume", settle, isRunning);

const start = command(
  "start",
  async (model, system) => {
    await system.startConsumer();
    model.isRunning = true;
  },
  isIdle,
);

const stop = command(
  "stop",
  async (model, system) => {
    await system.stopConsumer();
    model.isRunning = false;
  },
  isRunning,
);

const crash = (moment: Moment) =>
  command(
    `crash(${moment})`,
    async (model, system) => {
      const { begun, subject } = await system.crash(moment);
      if (subject !== undefined) model.items.push(subject);
      await published(model, system);
      model.crash(begun);
    },
    isRunning,
  );

const redrive = command(
  "redrive",
  async (model, system) => {
    if (model.isRunning) await settle(model, system);
    expect(await system.redrive()).toBe(model.dead);
    model.redrive();
  },
  canSettle,
);

const discard = command(
  "discard",
  async (model, system) => {
    if (model.isRunning) await settle(model, system);
    expect(await system.discard()).toBe(model.dead);
    model.discard();
  },
  canSettle,
);

/** Models a user who fixes the faults and redrives. */
const repair = command(
  "repair",
  async (model, system) => {
    if (model.isRunning) await settle(model, system);
    for (const id of system.faults.keys()) model.setFault(id, undefined);
    system.faults.clear();
    expect(await system.redrive()).toBe(model.dead);
    model.redrive();
  },
  canSettle,
);

const replay = (force: boolean) =>
  command(force ? "replay(forced)" : "replay", async (model, system) => {
    await system.replay(force);
    model.replay(force);
  });

/** Ends every story: the consumer runs until it is idle. */
export async function rest(model: DeliveryModel, system: DeliverySystem): Promise<void> {
  if (!model.isRunning) await system.startConsumer();
  model.isRunning = true;
  await settle(model, system);
}

const index = fc.nat({ max: 3 });
const nearId = fc.integer({ min: 1, max: 3 });
const kind = fc.constantFrom<Fault | undefined>("error", "reject", "late", undefined);

/** Generates stories of up to `maxCommands` commands. */
export function stories(maxCommands: number, replayPath: string | undefined): fc.Arbitrary<Iterable<Command>> {
  return fc.commands(
    [
      // Listed twice, since every story needs items.
      fc.constant(insert),
      fc.constant(insert),
      index.map(update),
      index.map(remove),
      fc.tuple(nearId, kind).map(([id, what]) => fault(id, what)),
      fc.constant(consume),
      fc.constant(consume),
      fc.constant(start),
      fc.constant(stop),
      fc.constantFrom<Moment>("idle", "during", "after").map(crash),
      fc.constant(redrive),
      fc.constant(repair),
      fc.constant(discard),
      fc.boolean().map(replay),
    ],
    { maxCommands, size: "max", ...(replayPath && { replayPath }) },
  );
}

/** Stories that once failed. */
export const remembered = {
  deathWithTwoCopiesInHand: [crash("idle"), insert, remove(0), insert, replay(false), start, insert, insert, crash("idle"), replay(false)],
  stopInReplay: [crash("idle"), insert, replay(false), start, stop],
  redriveOfForced: [insert, consume, fault(1, "error"), replay(true), consume, repair],
} satisfies Record<string, readonly Command[]>;
