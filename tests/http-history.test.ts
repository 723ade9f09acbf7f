// The history of a record, its earlier versions, and restoring a deleted one, over HTTP.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { action } from "warren/action";
import { crud } from "warren/crud";
import { defineResource, mistake, Nullable, oneOf, pastVersion } from "warren/resource";
import type { Actor } from "../src/schema/actor";
import { openApi, type TestApi } from "./support/api";

const address = Type.Object({ city: Type.String(), "a/b": Type.Optional(Type.Integer()) }, { additionalProperties: false });
const visit = defineResource({
  name: "visit",
  fields: { email: Type.String(), tags: Type.Array(Type.String(), { default: [] }), address: Nullable(address) },
  managed: { state: { schema: oneOf("open", "closed"), initial: "open" } },
  unique: ["email"],
  events: { closed: { reason: Type.String() } },
  check: ({ state, tags }, { previous }) =>
    tags.includes("refused") || (state === "closed" && previous === undefined) ? [mistake("/tags", "Not this one.")] : [],
  example: { email: "ada@example.com", tags: [], address: null },
});
const close = action(visit, { change: () => ({ state: "closed" as const }), emit: { closed: () => ({ reason: "over" }) } });
const routes = [
  { file: "visits.ts", path: "/visits", route: crud(visit) },
  { file: "visits/[id]/close.ts", path: "/visits/:id/close", route: close },
];

let api: TestApi;
beforeEach(() => {
  api = openApi({ resources: [visit], routes });
});
afterEach(() => api.close());

const ada = { email: "ada@example.com" };
const create = (fields: object = ada) => api.send("POST", "/visits", fields);
const patch = (fields: object) => api.send("PATCH", "/visits/1", fields);
const remove = () => api.send("DELETE", "/visits/1");
const restore = (headers = {}) => api.send("POST", "/visits/1/restore", undefined, headers);
interface History {
  readonly history: { readonly version: number | null; readonly type: string; readonly position: number }[];
  readonly next: number | null;
  readonly complete: boolean;
}
const history = async (query = "") => (await api.send("GET", `/visits/1/history${query}`)).json<History>();

describe("GET /visits/:id/history", () => {
  test("says for each version when, who and what, newest first", async () => {
    await create();
    await patch({ address: { city: "Paris" }, tags: ["a", "b"] });
    await patch({ address: { city: "Rome", "a/b": 2 }, tags: ["a"] });
    await api.send("POST", "/visits/1/close");
    await remove();
    const { history: entries, next, complete } = await history();
    const created = (await api.events())[0];
    expect([next, complete]).toEqual([null, true]);
    expect(entries.map(({ version, type }) => [type, version])).toEqual([
      ["visit.deleted", 4],
      ["visit.closed", 4],
      ["visit.updated", 4],
      ["visit.updated", 3],
      ["visit.updated", 2],
      ["visit.created", 1],
    ]);
    expect(entries.slice(1)).toMatchObject([
      { changes: [] },
      { changes: [{ pointer: "/state", from: "open", to: "closed" }] },
      {
        changes: [
          { pointer: "/tags/1", from: "b" },
          { pointer: "/address/city", from: "Paris", to: "Rome" },
          { pointer: "/address/a~1b", to: 2 },
        ],
      },
      {
        changes: [
          { pointer: "/tags", from: [] },
          { pointer: "/address", from: null },
          { pointer: "/tags/0", to: "a" },
          { pointer: "/tags/1", to: "b" },
          { pointer: "/address/city", to: "Paris" },
        ],
      },
      {
        position: 1,
        event: created?.["id"],
        at: created?.["timestamp"],
        actor: null,
        changes: [
          { pointer: "/email", to: "ada@example.com" },
          { pointer: "/tags", to: [] },
          { pointer: "/address", to: null },
          { pointer: "/state", to: "open" },
        ],
      },
    ]);
  });

  test("names the actor", async () => {
    const grace: Actor = { subject: "grace", scopes: ["write"] };
    await api.store.insert(visit, visit.example, { actor: grace });
    expect((await history()).history).toMatchObject([{ actor: "grace" }]);
  });

  test("comes in pages, each entry compared with the one before it, and without other records' events", async () => {
    await create();
    await create({ email: "eve@example.com" });
    for (const tag of ["a", "b", "c", "d"]) await patch({ tags: [tag] });
    const seen: number[] = [];
    for (let next: number | null | undefined; next !== null; ) {
      const page: History = await history(`?limit=2${next === undefined ? "" : `&before=${next}`}`);
      expect(page.history.length).toBeLessThanOrEqual(2);
      for (const entry of page.history) {
        seen.push(entry.version ?? 0);
        const tags = ["a", "b", "c", "d"];
        if (entry.version === 3) expect(entry).toMatchObject({ changes: [{ pointer: "/tags/0", from: tags[0], to: tags[1] }] });
      }
      next = page.next;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });

  test("begins where the log begins, and says so", async () => {
    await create();
    await patch({ tags: ["a"] });
    await patch({ tags: ["b"] });
    await api.store.prune("9999", 2);
    expect(await history()).toMatchObject({ history: [{ version: 3, changes: null }], next: null, complete: false });
    await api.store.prune("9999", 3);
    expect(await history()).toEqual({ history: [], next: null, complete: false });
  });

  test.each([
    ["/visits/7/history", 404, "There is no visit 7, and the event log has no event of it. Events older than EVENT_RETENTION are removed."],
    ["/visits/x/history", 422, undefined],
    ["/visits/1/history?before=0", 422, undefined],
    ["/visits/1/history?limit=500", 422, undefined],
  ])("%s is %i", async (path, status, detail) => {
    expect((await api.send("GET", path)).json()).toMatchObject({ status, ...(detail && { detail }) });
  });
});

describe("GET /visits/:id?version=", () => {
  test("is each state that the record had, byte for byte, also when it is deleted", async () => {
    const texts = [(await create()).text];
    for (const tag of ["a", "b", "c"]) texts.push((await patch({ tags: [tag] })).text);
    await api.send("POST", "/visits/1/close");
    await create({ email: "eve@example.com" });
    await remove();
    const read = async (version: number) => await api.send("GET", `/visits/1?version=${version}`);
    for (const [index, text] of texts.entries()) expect((await read(index + 1)).text).toBe(text);
    const { status, headers } = await read(2);
    expect([status, headers.get("etag")]).toEqual([200, expect.stringMatching(/^"2-/)]);
    expect((await read(5)).json()).toMatchObject({ state: "closed", version: 5 });
    expect((await read(6)).json()).toMatchObject({ status: 404, detail: "The visit 1 has no version 6. The newest is 5." });
  });

  test("is 410 with words for a version that the log no longer has, and the current one stays readable", async () => {
    await create();
    await patch({ tags: ["a"] });
    await api.store.prune("9999", 2);
    expect((await api.send("GET", "/visits/1?version=1")).json()).toMatchObject({
      status: 410,
      type: "/problems/gone",
      detail: "The event log no longer has version 1 of the visit 1. Events older than EVENT_RETENTION are removed.",
    });
    expect((await api.send("GET", "/visits/1?version=2")).json()).toMatchObject({ version: 2 });
  });

  test.each(["0", "x", "1.5", ""])("%p is 422", async (version) => {
    await create();
    expect((await api.send("GET", `/visits/1?version=${version}`)).json()).toMatchObject({
      status: 422,
      errors: [{ pointer: "/version" }],
    });
  });

  test("has the newest schema, also of an event of an earlier one, and history shows no change of schema", async () => {
    const old = defineResource({ name: "visit", fields: { mail: Type.String() }, example: { mail: "a" } });
    const renamed = defineResource({
      name: "visit",
      fields: { email: Type.String() },
      past: [pastVersion({ fields: { mail: Type.String() }, up: ({ mail }) => ({ email: mail }) })],
      example: { email: "a" },
    });
    const before = openApi({ resources: [old], routes: [{ file: "visits.ts", path: "/visits", route: crud(old) }] });
    await before.send("POST", "/visits", { mail: "first" });
    const events = await before.events();
    const { recordIn } = await import("../src/store/history");
    expect(recordIn(renamed, { type: "visit.created", body: JSON.stringify(events[0]) })).toMatchObject({
      id: 1,
      email: "first",
      version: 1,
    });
    await before.close();
  });
});

describe("POST /visits/:id/restore", () => {
  test("creates the record again with its id, its fields and the next version", async () => {
    await create();
    await api.send("POST", "/visits/1/close");
    const last = (await api.send("GET", "/visits/1")).json<Record<string, unknown>>();
    await remove();
    const answer = await restore();
    const record = { ...last, version: 3, updatedAt: expect.any(String) };
    expect([answer.status, answer.headers.get("location"), answer.json<object>()]).toEqual([201, "/visits/1", record]);
    expect((await api.send("GET", "/visits/1")).text).toBe(answer.text);
    expect((await api.events()).at(-1)).toMatchObject({ type: "visit.created", visit: { id: 1, version: 3 } });
    expect((await history()).history.map(({ type, version }) => [type, version]).slice(0, 2)).toEqual([
      ["visit.created", 3],
      ["visit.deleted", 2],
    ]);
    // The next record does not get its id.
    expect((await create({ email: "eve@example.com" })).json()).toMatchObject({ id: 2 });
    await remove();
    expect((await restore()).json()).toMatchObject({ version: 4 });
  });

  test("is 409 for a record that exists, or whose unique value is taken, and tells nothing of the other", async () => {
    await create();
    expect((await restore()).json()).toMatchObject({ status: 409, detail: "The visit 1 exists. Only a deleted visit can be restored." });
    await remove();
    await create();
    const refused = (await restore()).json();
    expect(refused).toMatchObject({ status: 409, errors: [{ pointer: "/email" }] });
    expect((await api.send("GET", "/visits/1")).status).toBe(404);
  });

  test("is 404 for a record that never existed, or whose deletion is no longer in the log, and says so", async () => {
    const words = "The event log has no deletion of a visit 1. Events older than EVENT_RETENTION are removed.";
    expect((await restore()).json()).toMatchObject({ status: 404, detail: words });
    await create();
    await remove();
    await api.store.prune("9999", 2);
    expect((await restore()).json()).toMatchObject({ status: 404, detail: words });
  });

  test("with an Idempotency-Key restores once", async () => {
    await create();
    await remove();
    const key = { "idempotency-key": "again" };
    const [first, second] = await Promise.all([restore(key), restore(key)]);
    expect([first.status, second.status, second.text]).toEqual([201, 201, first.text]);
    expect(await api.events()).toHaveLength(3);
  });

  test("obeys the rule of the resource: 422, and nothing changes", async () => {
    await create();
    await remove();
    const strict = { ...visit, check: () => [mistake("/email", "Not any more.")] };
    const store = api.store;
    await expect(store.restore(strict, 1)).rejects.toThrow("/email: Not any more.");
    expect(await store.get(visit, 1)).toBeUndefined();
  });

  test("refuses a body", async () => {
    expect((await api.send("POST", "/visits/1/restore", {})).status).toBe(422);
  });

  test("in one commit with the last change and the deletion, it has that change", async () => {
    await create();
    const { store } = api;
    const [, , restored] = await Promise.all([
      store.update(visit, 1, (current) => ({ ...current, tags: ["new"] })),
      store.remove(visit, 1),
      store.restore(visit, 1),
    ]);
    expect(JSON.parse(restored?.json ?? "")).toMatchObject({ version: 3, tags: ["new"] });
    expect((await history()).history.map(({ version }) => version)).toEqual([3, 2, 2, 1]);
  });

  test("is 422 if it refers to a record that is gone", async () => {
    const room = defineResource({ name: "room", fields: { label: Type.String() }, example: { label: "a" } });
    const booking = defineResource({
      name: "booking",
      fields: { room: Type.Integer() },
      references: { room: { to: "room", onDelete: "restrict" } },
      example: { room: 1 },
    });
    const own = openApi({
      resources: [room, booking],
      routes: [
        { file: "rooms.ts", path: "/rooms", route: crud(room) },
        { file: "bookings.ts", path: "/bookings", route: crud(booking) },
      ],
    });
    await own.send("POST", "/rooms", { label: "a" });
    await own.send("POST", "/bookings", { room: 1 });
    for (const path of ["/bookings/1", "/rooms/1"]) expect((await own.send("DELETE", path)).status).toBe(204);
    expect((await own.send("POST", "/bookings/1/restore")).json()).toMatchObject({ status: 422, errors: [{ pointer: "/room" }] });
    await own.send("POST", "/rooms/1/restore");
    expect((await own.send("POST", "/bookings/1/restore")).json()).toMatchObject({ id: 1, room: 1, version: 2 });
    await own.close();
  });
});
