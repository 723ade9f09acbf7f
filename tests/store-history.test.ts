// Whatever is changed at the same time: the log tells exactly what happened.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { FieldsOf } from "warren/resource";
import { item } from "../src/domain/item";
import { Conflict } from "../src/schema/refused-change";
import type { Change } from "../src/schema/resource";
import type { LogEntry } from "../src/store/log";
import { itemFields } from "./support/arbitrary";
import { forEachEngine } from "./support/engines";
import { useStore } from "./support/use-store";

interface Step {
  readonly kind: "insert" | "update" | "remove" | "restore" | "refused";
  readonly which: number;
  readonly fields: FieldsOf<typeof item>;
}

forEachEngine((placesIn, { times }) => {
  const { store } = useStore(placesIn, [item]);

  test("property: whatever the interleaving, each change is exactly one event, versions count up, each can be read, and the last body is the row", async () => {
    const step: fc.Arbitrary<Step> = fc.record({
      kind: fc.constantFrom<Step["kind"][]>("insert", "insert", "update", "update", "remove", "restore", "refused"),
      which: fc.nat(1000),
      fields: itemFields,
    });
    // The steps of one round arrive together; the rounds come one after another.
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { maxLength: 6 }), async (rounds) => {
        const start = await store.log.end();
        const ids = (await store.list(item, { limit: 1_000_000 })).rows.map(({ id }) => id).slice(-5);
        const before = new Map(await Promise.all(ids.map(async (id) => [id, await store.get(item, id)] as const)));
        const answers: { change: Change; id: number; json: string }[] = [];
        for (const round of rounds) {
          await Promise.all(
            round.map(async ({ kind, which, fields }) => {
              const id = ids[which % Math.max(1, ids.length)] ?? 0;
              if (kind === "insert") {
                const stored = await store.insert(item, fields);
                ids.push(stored.id);
                answers.push({ change: "created", ...stored });
              } else if (kind === "update") {
                const stored = await store.update(item, id, () => fields);
                if (stored) answers.push({ change: "updated", ...stored });
              } else if (kind === "remove") {
                const stored = await store.remove(item, id);
                if (stored) answers.push({ change: "deleted", ...stored });
              } else if (kind === "restore") {
                const stored = await store.restore(item, id).catch((error: unknown) => {
                  // The record exists.
                  if (!(error instanceof Conflict)) throw error;
                });
                if (stored) answers.push({ change: "created", ...stored });
              } else {
                const refuse = () => {
                  throw new Error("refused");
                };
                await store.update(item, id, refuse).catch(() => {});
              }
            }),
          );
        }
        const log = await store.log.read(start, 1_000_000);
        // Exactly the changes that were answered, each once.
        const told = (change: string, id: number, json: string) => `${change} ${id} ${json}`;
        expect(log.map((entry) => told(entry.type.replace("item.", ""), entry.subject, recordIn(entry))).sort()).toEqual(
          answers.map(({ change, id, json }) => told(change, id, json)).sort(),
        );
        expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
        // Of each item: created first, then versions one by one, deleted with the last state, and restored from there.
        for (const [id, history] of Map.groupBy(log, ({ subject }) => subject)) {
          let last = before.get(id)?.json;
          let exists = last !== undefined;
          for (const entry of history) {
            const version = last === undefined ? 0 : (JSON.parse(last) as { version: number }).version;
            const record = recordIn(entry);
            expect(exists).toBe(entry.type !== "item.created");
            if (entry.type === "item.deleted") expect(record).toBe(last as string);
            else {
              expect((JSON.parse(record) as { version: number }).version).toBe(version + 1);
              expect((await store.history.version(item, id, version + 1))?.json).toBe(record);
            }
            exists = entry.type !== "item.deleted";
            last = record;
          }
          expect((await store.get(item, id))?.json).toBe(exists ? last : undefined);
          const { entries } = await store.history.page(item, id, { limit: history.length });
          expect(entries.map(({ position }) => position)).toEqual(history.map(({ position }) => position).reverse());
        }
      }),
      { numRuns: times(25) },
    );
  });
});

/** The record's part of the body, byte for byte. */
function recordIn({ body, timestamp }: LogEntry): string {
  return body.slice(body.indexOf('"item":') + '"item":'.length, body.length - `,"timestamp":"${timestamp}"}`.length);
}
