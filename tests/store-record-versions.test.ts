// Records that a program with an older schema stored, read with a newer schema.

import { beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { defineResource, pastVersion, type Resource } from "warren/resource";
import { openStore } from "../src/store/open";
import { forEachEngine, type Places } from "./support/engines";
import { useFolder } from "./support/use-folder";
import { withStore } from "./support/use-store";

const named = { fields: { name: Type.String() }, example: { name: "a" } };
const first = defineResource({ name: "note", ...named });
const toTitle = pastVersion({
  fields: { name: Type.String() },
  up(fields) {
    if (fields.name === "bad") throw new Error("not this one");
    // Leaves the name as it was, too.
    return { ...fields, title: fields.name };
  },
});
const second = defineResource({ name: "note", fields: { title: Type.String() }, example: { title: "a" }, past: [toTitle] });
const third = defineResource({
  name: "note",
  fields: { title: Type.String(), stars: Type.Integer() },
  example: { title: "a", stars: 1 },
  events: { starred: { by: Type.String() } },
  past: [
    toTitle,
    pastVersion({ event: "starred", fields: {}, up: () => ({ by: "nobody" }) }),
    pastVersion({ fields: { title: Type.String() }, up: (fields) => ({ ...fields, stars: 0 }) }),
  ],
});

forEachEngine((placesIn) => {
  const folder = useFolder();
  let places: Places;
  beforeEach(() => {
    places = placesIn(folder.path);
  });

  const stored = (resource: Resource) =>
    withStore(places, [resource], async (store) =>
      (await store.list(resource, { limit: 10_000 })).rows.map(({ json }) => JSON.parse(json) as Record<string, unknown>),
    );
  const store = (resource: Resource, ...records: object[]) =>
    withStore(places, [resource], (opened) => Promise.all(records.map((fields) => opened.insert(resource, fields))));

  test("they are brought to the newest schema, over several versions, with their version and times; there is no event", async () => {
    await store(first, ...Array.from({ length: 2500 }, (_, index) => ({ name: `note ${index}` })));
    const [before] = await stored(first);
    const after = await stored(third);
    expect(after).toHaveLength(2500);
    expect(after[0]).toEqual({
      id: 1,
      title: "note 0",
      stars: 0,
      version: 1,
      createdAt: before?.["createdAt"],
      updatedAt: before?.["updatedAt"],
    });
    expect(after.every(({ id, title, stars }) => title === `note ${Number(id) - 1}` && stars === 0)).toBe(true);
    expect(await withStore(places, [third], ({ log }) => log.end())).toBe(2500);
  });

  test("they go up once: what is new since then is left as it is", async () => {
    await store(first, { name: "one" });
    await store(second, { title: "two" });
    await store(third, { title: "three", stars: 3 });
    expect((await stored(third)).map(({ title, stars }) => [title, stars])).toEqual([
      ["one", 0],
      ["two", 0],
      ["three", 3],
    ]);
  });

  test("a record on which the upcaster fails is named, and nothing is changed", async () => {
    await store(first, { name: "good" }, { name: "bad" });
    await expect(openStore(places, [second])).rejects.toThrow(
      "note 2 cannot be converted to the newest schema; nothing was changed. note.created version 1 to 2: Error: not this one",
    );
    expect((await stored(first)).map(({ name }) => name)).toEqual(["good", "bad"]);
  });

  test("an older program leaves what a newer one stored alone, and says so", async () => {
    await store(second, { title: "one" });
    await expect(openStore(places, [first])).rejects.toThrow(
      'The records of "note" have schema version 2, but this program knows versions up to 1: they were last used by a newer version of the program.',
    );
    expect(await stored(second)).toMatchObject([{ title: "one" }]);
  });

  const renamed = defineResource({ name: "note", plural: "remarks", ...named });

  test("another plural, with which the records would be gone, is refused, naming their table", async () => {
    await store(first, { name: "one" });
    await expect(openStore(places, [renamed])).rejects.toThrow(
      'Resource "note": its plural was changed to "remarks", but its records are in a table with the earlier plural ("notes"). ' +
        "Set `plural` back to that.",
    );
    expect(await stored(first)).toMatchObject([{ name: "one" }]);
  });

  test("another plural is fine while there are no records", async () => {
    await store(first);
    await store(renamed, { name: "one" });
    expect(await stored(renamed)).toMatchObject([{ name: "one" }]);
  });
});
