// Declarations that are dropped or renamed: the gate of the contracts takes them, and old events and records stay readable.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { action } from "warren/action";
import { crud } from "warren/crud";
import { defineResource, pastVersion } from "warren/resource";
import { defineRoute, recordResponse } from "warren/route";
import { asyncApiDocument } from "../src/docs/asyncapi";
import { introduce } from "../src/docs/tags";
import { Catalogue } from "../src/schema/catalogue";
import { parseEvent } from "../src/schema/event";
import { breachesOf, publishedBy } from "../src/schema/published";
import type { Resource } from "../src/schema/resource";
import type { Store } from "../src/store/store";
import { openApi } from "./support/api";
import { command } from "./support/command";
import { sqliteIn } from "./support/engines";
import { temporaryFolder } from "./support/folder";
import { copyProject } from "./support/project-copy";
import { withStore } from "./support/use-store";

const fields = { number: Type.String(), colour: Type.String() };
const example = { number: "7", colour: "red" };
const events = { stamped: { by: Type.String() }, lost: { where: Type.String() } };
const permit = defineResource({ name: "permit", fields, events, example });
const published = publishedBy(new Catalogue([permit]), {});
const gate = (...resources: ConstructorParameters<typeof Catalogue>[0]) =>
  breachesOf(new Catalogue(resources), published).map(({ what }) => what);

/** The log of a service with one permit of the first declaration. */
async function withPermits<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = temporaryFolder();
  try {
    await withStore(sqliteIn(folder.path), [permit], (store) => store.insert(permit, example, { emit: { stamped: { by: "ada" } } }));
    return await work(folder.path);
  } finally {
    folder.remove();
  }
}

/** The store of that service, opened with another declaration. */
const withStoreOf = (resource: Resource, work: (store: Store) => Promise<void>) =>
  withPermits((folder) => withStore(sqliteIn(folder), [resource], work));

describe("a retired resource", () => {
  const retired = defineResource({ name: "permit", fields, events, example, retired: true });

  test("passes the gate, which a removed one does not", () => {
    expect(gate(retired)).toEqual([]);
    expect(gate()).toEqual(["is no longer declared, so it cannot be read"]);
  });

  test("has no routes, and its records are read, deleted and erased, but neither created nor changed", async () => {
    expect(() => crud(retired)).toThrow('The resource "permit" is retired, so it has no routes. Remove the file with crud(permit).');
    expect(() => action(retired, { emit: { stamped: () => ({ by: "x" }) } })).toThrow("action(permit)");
    await withStoreOf(retired, async (store) => {
      const refused = "The resource permit is retired: its records cannot be created or changed.";
      await expect(store.insert(retired, example)).rejects.toThrow(refused);
      await expect(store.update(retired, 1, (current) => ({ ...current, colour: "blue" }))).rejects.toThrow(refused);
      expect((await store.importEach(retired, [{ id: 9, fields: example }])).map(String)).toEqual([`Conflict: ${refused}`]);
      expect((await store.get(retired, 1))?.json).toContain("red");
      expect((await store.remove(retired, 1))?.id).toBe(1);
      await expect(store.restore(retired, 1)).rejects.toThrow(refused);
      expect((await store.erase(retired, 1))?.events).toHaveLength(3);
    });
  });

  test("a route of one's own that changes it gets a 409", async () => {
    const route = defineRoute(({ storeFor }) =>
      new Elysia().post("", async ({ request }) => recordResponse(await storeFor(request).insert(retired, example))),
    );
    const api = openApi({ resources: [retired], routes: [{ file: "permits.ts", path: "/permits", route }] });
    expect((await api.send("POST", "/permits")).json()).toMatchObject({ status: 409, type: "/problems/conflict" });
    await api.close();
  });

  test("its old events are readable, and the documentation says that they are no longer published", async () => {
    const catalogue = new Catalogue([retired]);
    await withStoreOf(retired, async (store) => {
      for (const { body } of await store.log.read(0, 10)) expect(parseEvent(body, catalogue).ok).toBe(true);
    });
    const { operations, components } = asyncApiDocument(catalogue, []);
    expect(Object.keys(operations)).toEqual(["publish.permit.deleted", "publish.permit.erased"]);
    expect(components).toMatchObject({ messages: { "permit.created.v1": { summary: "No longer published." } } });
    expect(introduce(catalogue)).not.toContain("permits");
  });

  test("is exported", async () => {
    const project = copyProject();
    const source = `
      import { Type } from "@sinclair/typebox";
      import { defineResource } from "warren/resource";
      export const permit = defineResource({
        name: "permit",
        fields: { number: Type.String(), colour: Type.String() },
        events: { stamped: { by: Type.String() }, lost: { where: Type.String() } },
        example: { number: "7", colour: "red" },
        retired: true,
      });`;
    await Bun.write(join(project.path, "src/domain/permit.ts"), source);
    await withPermits(async (folder) => {
      const { code, stdout } = await command("export", ["permit"], { DATABASE_URL: `sqlite:${join(folder, "warren.db")}` }, project.path);
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { id: 1, ...example }]);
    });
    project.remove();
  });
});

describe("a retired event", () => {
  const retired = defineResource({ name: "permit", fields, events, example, retired: ["lost"] });

  test("passes the gate, which a removed one does not", () => {
    expect(gate(retired)).toEqual([]);
    expect(gate(defineResource({ name: "permit", fields, events: { stamped: events.stamped }, example }))).toEqual([
      "is no longer declared, so it cannot be read",
    ]);
  });

  test("is not emitted, neither by code nor by an action; the others are", async () => {
    const api = openApi({ resources: [retired], routes: [{ file: "permits.ts", path: "/permits", route: crud(retired) }] });
    await expect(api.store.insert(retired, example, { emit: { lost: { where: "home" } } })).rejects.toThrow(
      'The event "lost" of "permit" is retired, so it is no longer published.',
    );
    await api.store.insert(retired, example, { emit: { stamped: { by: "ada" } } });
    expect((await api.events()).map(({ type }) => type)).toEqual(["permit.created", "permit.stamped"]);
    expect(() => action(retired, { emit: { lost: () => ({ where: "x" }) } })).toThrow('emits "lost", which is retired');
    expect(Object.keys(asyncApiDocument(new Catalogue([retired]), []).operations)).not.toContain("publish.permit.lost");
    await api.close();
  });

  test("has to be declared", () => {
    // @ts-expect-error not one of the events
    const unknown = () => defineResource({ name: "permit", fields, events, example, retired: ["found"] });
    expect(unknown).toThrow(
      'Resource "permit": `retired` names "found", which is not in `events`. Keep the declaration of a retired event.',
    );
  });
});

describe("a field", () => {
  const past = { fields, up: ({ colour, ...rest }: typeof example) => ({ ...rest, paint: colour }) };
  const renamed = defineResource({
    name: "permit",
    fields: { number: Type.String(), paint: Type.String() },
    events,
    past: [pastVersion(past)],
    example: { number: "7", paint: "red" },
  });
  const dropped = defineResource({
    name: "permit",
    fields: { number: Type.String() },
    events,
    past: [pastVersion({ fields, up: ({ colour: _, ...rest }) => rest })],
    example: { number: "7" },
  });

  test("that is renamed or dropped with a past version passes the gate, and without one it does not", () => {
    expect([gate(renamed), gate(dropped)]).toEqual([[], []]);
    expect(gate(defineResource({ name: "permit", fields: { number: Type.String() }, events, example: { number: "7" } }))).toEqual([
      "/permit/colour was removed",
    ]);
  });

  test("that is renamed has its new name in records, earlier versions and the history", async () => {
    await withStoreOf(renamed, async (store) => {
      await store.update(renamed, 1, (current) => ({ ...current, paint: "blue" }));
      expect(JSON.parse((await store.history.version(renamed, 1, 1))?.json ?? "")).toMatchObject({ number: "7", paint: "red", version: 1 });
      expect(JSON.parse((await store.get(renamed, 1))?.json ?? "")).toMatchObject({ paint: "blue", version: 2 });
    });
  });
});
