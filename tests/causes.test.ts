// Events that handlers cause name the event that caused them.
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource } from "warren/resource";
import { Catalogue } from "../src/schema/catalogue";
import { parseEvent } from "../src/schema/event";
import { ChainTooLong, mostDepth } from "../src/store/cause";
import { forEachEngine } from "./support/engines";
import { useStore } from "./support/use-store";

const parcel = defineResource({
  name: "parcel",
  fields: { state: Type.String() },
  events: { lost: {} },
  example: { state: "packed" },
});

forEachEngine((placesIn) => {
  const { store } = useStore(placesIn, [parcel]);
  const bodyOf = ({ body }: { readonly body: string }) => JSON.parse(body) as Record<string, unknown>;

  test("an event names its cause and its depth, and can be found by its cause", async () => {
    const { id } = await store.insert(parcel, { state: "packed" });
    const [first] = await store.log.read(0, 1);
    const cause = { id: first?.id ?? "", depth: 0 };
    await store.update(parcel, id, () => ({ state: "sent" }), { cause, emit: { lost: {} } });
    await store.transaction((tx) => tx.insert(parcel, { state: "packed" }), { cause: { id: "an-id-of-another-program", depth: 4 } });

    const events = await store.log.read(0, 10);
    expect(events.map((event) => [event.type, bodyOf(event)["cause"], bodyOf(event)["depth"]])).toEqual([
      ["parcel.created", undefined, undefined],
      ["parcel.updated", cause.id, 1],
      ["parcel.lost", cause.id, 1],
      ["parcel.created", "an-id-of-another-program", 5],
    ]);
    expect((await store.causedBy(cause.id, 10)).map(({ type }) => type)).toEqual(["parcel.updated", "parcel.lost"]);
    expect(await store.causedBy(cause.id, 1)).toEqual([events[1] as never]);
    expect(await store.causedBy("an-id-of-another-program", 10)).toHaveLength(1);
    expect(await store.causedBy("none", 10)).toEqual([]);
    expect(await store.causedBy(cause.id, 10, events[1]?.position)).toEqual([events[2] as never]);

    const read = parseEvent(events[1]?.body ?? "", new Catalogue([parcel]));
    expect(read).toMatchObject({ ok: true, event: { cause: cause.id, depth: 1 } });
  });

  test("a change at the end of a chain is refused, and nothing changes", async () => {
    const { id } = await store.insert(parcel, { state: "packed" });
    const end = await store.log.end();
    const cause = { id: "last", depth: mostDepth };
    const refused = [
      store.update(parcel, id, () => ({ state: "sent" }), { cause }),
      store.insert(parcel, { state: "packed" }, { cause }),
      store.remove(parcel, id, { cause }),
      store.transaction((tx) => tx.update(parcel, id, { state: "sent" }), { cause }),
    ];
    for (const each of refused) expect(await each.catch((error: unknown) => error)).toBeInstanceOf(ChainTooLong);
    expect(await store.log.end()).toBe(end);
    await store.update(parcel, id, () => ({ state: "sent" }), { cause: { id: "last", depth: mostDepth - 1 } });
    expect(bodyOf((await store.log.read(end, 1))[0] as never)["depth"]).toBe(mostDepth);
  });
});
