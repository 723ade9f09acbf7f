// Random changes by several stores on one schema, many at once, so that groups of changes are sent while others are committed. Then the
// log, the records, the unique values and the references must agree.
import { expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, Nullable } from "warren/resource";
import { RefusedChange } from "../../src/schema/refused-change";
import { TransactionGaveUp } from "../../src/store/errors";
import { Facts } from "../../src/store/postgres/changes/facts";
import type { Store } from "../../src/store/store";
import type { Transaction } from "../../src/store/transaction/transaction";
import { describeWithPostgres } from "../support/postgres";
import { useStores } from "../support/use-stores";

setDefaultTimeout(180_000);

const box = defineResource({
  name: "box",
  plural: "boxes",
  fields: { label: Nullable(Type.String()), count: Type.Integer() },
  unique: ["label"],
  example: { label: null, count: 0 },
});
const toy = defineResource({
  name: "toy",
  fields: { box: Nullable(Type.Integer()), key: Nullable(Type.Integer()) },
  references: { box: { to: "box", onDelete: "null" } },
  example: { box: null, key: null },
});
type State = { readonly version: number; readonly count?: number; readonly label?: string; readonly box?: number; readonly key?: number };

const upTo = (most: number) => Math.floor(Math.random() * most);
const countedUp = <Box extends { count: number }>(current: Box): Box => ({ ...current, count: current.count + 1 });

async function countUp(tx: Transaction, id: number): Promise<boolean> {
  if (!(await tx.get(box, id))) return false;
  await tx.update(box, id, countedUp);
  return true;
}

describeWithPostgres("random changes by three stores", () => {
  const { stores } = useStores(3, [box, toy]);
  const [first] = stores as [Store];

  /** Makes changes, and resolves with how often a count was raised. */
  async function change(times: number): Promise<number> {
    const boxes = [(await first.insert(box, box.example)).id];
    let raised = 0;
    const raise = (changed: unknown) => {
      if (changed) raised += 1;
    };
    const one = async (store: Store) => {
      // The newest ones, so that many change the same.
      const id = boxes.at(-1 - upTo(Math.min(6, boxes.length))) ?? 1;
      const key = upTo(times / 10);
      const kinds = [
        async () => upTo(20) === 0 && boxes.push((await store.insert(box, box.example)).id),
        async () => raise(await store.update(box, id, countedUp)),
        async () => raise(await store.transaction((tx) => countUp(tx, id))),
        () => store.update(box, id, (current) => ({ ...current, label: `label ${upTo(8)}` })),
        () => store.insert(toy, { box: id, key: null }),
        () => store.insert(toy, { box: null, key: null }),
        () => store.insert(toy, { box: null, key }, { once: { key: String(key), part: 0, fingerprint: "", owner: "" } }),
        async () => upTo(60) === 0 && (await store.remove(box, id)),
      ];
      await kinds[upTo(kinds.length)]?.().catch((error: unknown) => {
        if (!(error instanceof RefusedChange || error instanceof TransactionGaveUp)) throw error;
      });
    };
    const client = async (_: unknown, number: number) => {
      for (let made = 0; made < times / 48; made += 1) await one(stores[number % 3] as Store);
    };
    await Promise.all(Array.from({ length: 48 }, client));
    return raised;
  }

  /** Returns what does not agree. */
  async function mistakes(raised: number): Promise<string[]> {
    const found: string[] = [];
    const states = new Map<string, State | null>();
    let counted = 0;
    for (const { type, subject, body } of await log()) {
      const [resource = "", what] = type.split(".");
      const name = `${resource}/${subject}`;
      const before = states.get(name);
      const state = JSON.parse(body)[resource] as State;
      const follows =
        what === "created"
          ? before === undefined
          : what === "updated"
            ? before?.version === state.version - 1
            : Bun.deepEquals(before, state);
      if (!follows) found.push(`${type} of ${name}: ${JSON.stringify(state)} after ${JSON.stringify(before)}`);
      counted += Math.max(0, (state.count ?? 0) - (before?.count ?? 0));
      states.set(name, what === "deleted" ? null : state);
    }
    if (counted !== raised) found.push(`${counted} of ${raised} counts`);
    const live = [...states].flatMap(([name, state]) => (state ? [{ name, state }] : []));
    for (const { name, state } of live) {
      const stored = await first.get(name.startsWith("box") ? box : toy, Number(name.split("/")[1]));
      if (stored?.json !== JSON.stringify(state)) found.push(`${name} is ${stored?.json}, not ${JSON.stringify(state)}`);
      if (state.box && !states.get(`box/${state.box}`)) found.push(`${name} refers to ${state.box}, which does not exist`);
    }
    for (const field of ["label", "key"] as const) {
      const values = live.flatMap(({ state }) => state[field] ?? []);
      if (new Set(values).size < values.length) found.push(`two records have one ${field}`);
    }
    return found;
  }

  async function log() {
    const entries = [];
    for (let read = await first.log.read(0, 5000); read.length > 0; read = await first.log.read(read.at(-1)?.position ?? 0, 5000))
      entries.push(...read);
    return entries;
  }

  test("leave log, records, unique values and references that agree", async () => {
    expect(await mistakes(await change(9600))).toEqual([]);
  });

  test("are found out if a group does not notice that it depends on another one", async () => {
    const planted = spyOn(Facts.prototype, "inherit").mockImplementation(() => {});
    try {
      const found: string[] = [];
      for (let round = 0, raised = 0; round < 10 && found.length === 0; round += 1) {
        try {
          raised += await change(2400);
          found.push(...(await mistakes(raised)));
        } catch (error) {
          // A value of a unique key that two records would have.
          found.push(String(error));
        }
      }
      expect(found).not.toEqual([]);
    } finally {
      planted.mockRestore();
    }
  });
});
