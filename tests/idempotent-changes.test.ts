// Idempotency-Key on PUT, PATCH and DELETE, and in routes of a user's own: the same request again gets the first answer.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "warren/crud";
import { defineResource } from "warren/resource";
import { changeParameters, conditionsOf, defineRoute, existing, jsonBody, paramsOf, recordResponse } from "warren/route";
import { KeyReused } from "../src/store/errors";
import { controlClock } from "../src/timing/clock";
import { type Answer, openApi, type TestApi } from "./support/api";
import { forEachEngine } from "./support/engines";
import { useStore } from "./support/use-store";

const lamp = defineResource({
  name: "lamp",
  fields: { place: Type.String(), watts: Type.Integer({ default: 5 }) },
  events: { moved: { to: Type.String() } },
  example: { place: "hall", watts: 5 },
});
const { example } = lamp;

/** POST /lamps/:id/move: what `crud()` does, in a route of one's own. */
const move = defineRoute(({ storeFor }) =>
  new Elysia().post(
    "",
    async ({ params: { id }, body, request }) => {
      const moved = await storeFor(request).update(lamp, Number(id), (current) => ({ ...current, place: body.to }), {
        ...conditionsOf(lamp, request, body),
        emit: { moved: body },
      });
      return recordResponse(existing(moved, "lamp", id));
    },
    {
      params: paramsOf(lamp),
      ...jsonBody(Type.Object({ to: Type.String() }), "application/json"),
      detail: { parameters: changeParameters(paramsOf(lamp)) },
    },
  ),
);

describe("over HTTP", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = openApi({
      resources: [lamp],
      routes: [
        { file: "lamps.ts", path: "/lamps", route: crud(lamp) },
        { file: "lamps/[id]/move.ts", path: "/lamps/:id/move", route: move },
      ],
    });
    for (const place of ["hall", "attic"]) await api.send("POST", "/lamps", { place });
  });
  afterEach(() => api.close());

  const whole = ({ status, headers, text }: Answer) => [status, text, headers.get("etag"), headers.get("content-type")];
  const requests: [string, string, unknown, unknown][] = [
    ["PUT", "/lamps/1", { place: "study" }, { place: "cellar" }],
    ["PATCH", "/lamps/1", { watts: 7 }, { watts: 8 }],
    ["POST", "/lamps/1/move", { to: "study" }, { to: "cellar" }],
    ["DELETE", "/lamps/1", undefined, undefined],
  ];
  const events = async () => (await api.events()).length;

  describe.each(requests)("%s %s", (method, path, body, other) => {
    const send = (given = body, headers = {}) => api.send(method, path, given, { "idempotency-key": "k1", ...headers });

    test("again: the first answer with its status and ETag, and nothing changes", async () => {
      const first = await send();
      expect(first.status).toBe(method === "DELETE" ? 204 : 200);
      const made = await events();
      expect(whole(await send())).toEqual(whole(first));
      expect(await events()).toBe(made);
    });

    test("again after another change: the first answer, also where If-Match no longer holds", async () => {
      const [etag = ""] = [(await api.send("GET", "/lamps/1")).headers.get("etag") ?? ""];
      const first = await send(body, { "if-match": etag });
      await api.send("PATCH", "/lamps/1", { place: "roof" });
      expect(whole(await send(body, { "if-match": etag }))).toEqual(whole(first));
      await api.send("DELETE", "/lamps/1");
      expect(whole(await send(body, { "if-match": etag }))).toEqual(whole(first));
    });

    test("twenty at once: one change, and one answer", async () => {
      const before = await events();
      const answers = await Promise.all(Array.from({ length: 20 }, () => send()));
      expect(new Set(answers.map((answer) => JSON.stringify(whole(answer)))).size).toBe(1);
      expect((await events()) - before).toBe(path.endsWith("move") ? 2 : 1);
    });

    if (body !== undefined) {
      test("with another body: 422 with a type of its own", async () => {
        await send();
        const { status, json } = await send(other);
        expect([status, json()]).toEqual([422, expect.objectContaining({ type: "/problems/idempotency-key-reused" })]);
      });
    }

    test("that is refused leaves its key free", async () => {
      expect((await send(body, { "if-match": '"other"' })).status).toBe(412);
      expect((await api.send(method, path.replace("1", "9"), body, { "idempotency-key": "k1" })).status).toBe(404);
      expect((await send()).status).toBe(method === "DELETE" ? 204 : 200);
    });

    test("with a malformed key: 400", async () => {
      expect((await send(body, { "idempotency-key": "" })).status).toBe(400);
      expect(await events()).toBe(2);
    });
  });

  test("a key belongs to the method, the path and the token", async () => {
    const key = { "idempotency-key": "k1" };
    expect((await api.send("PUT", "/lamps/1", { place: "a" }, key)).status).toBe(200);
    expect((await api.send("PATCH", "/lamps/1", { place: "b" }, key)).status).toBe(200);
    expect((await api.send("PATCH", "/lamps/2", { place: "c" }, key)).status).toBe(200);
    expect((await api.send("PATCH", "/lamps/2", { place: "d" }, { ...key, authorization: "Bearer another" })).status).toBe(200);
    expect((await api.send("DELETE", "/lamps/1", undefined, key)).status).toBe(204);
    expect((await api.send("GET", "/lamps/2")).json()).toMatchObject({ place: "d", version: 3 });
  });

  test("OpenAPI names the header for each", async () => {
    const { paths } = (await api.send("GET", "/swagger/json")).json<{
      paths: Record<string, Record<string, { parameters?: { name: string }[]; responses: object }>>;
    }>();
    const all = ["id", "If-Match", "If-None-Match", "Idempotency-Key"];
    for (const method of ["put", "patch", "delete"]) {
      const { parameters = [], responses = {} } = paths["/lamps/{id}"]?.[method] ?? {};
      expect([method, parameters.map(({ name }) => name), "429" in responses]).toEqual([method, all, true]);
    }
    expect(paths["/lamps/{id}/move"]?.["post"]?.parameters?.map(({ name }) => name)).toEqual(all);
    expect((await api.send("POST", "/lamps/x/move", { to: "study" })).json()).toMatchObject({ status: 422, errors: [{ pointer: "/id" }] });
  });
});

forEachEngine((placesIn) => {
  const { reopen, store } = useStore(placesIn, [lamp]);

  const once = { key: "k", fingerprint: "f", part: 0 };

  test("insert, update and remove with a key resolve with their first result, also after a restart", async () => {
    const made = await store.insert(lamp, example, { once });
    const changed = await store.update(lamp, 1, () => ({ place: "attic", watts: 5 }), { once: { ...once, key: "u" } });
    const removed = await store.remove(lamp, 1, { once: { ...once, key: "r" } });
    expect([made.version, changed?.version, removed]).toEqual([1, 2, changed]);
    await reopen();
    expect(await store.insert(lamp, example, { once })).toEqual(made);
    const never = () => {
      throw new Error("called again");
    };
    expect(await store.update(lamp, 1, never, { once: { ...once, key: "u" }, guard: never })).toEqual(changed);
    expect(await store.remove(lamp, 1, { once: { ...once, key: "r" }, guard: never })).toEqual(removed);
    expect(await store.log.end()).toBe(3);
  });

  test("a record that does not exist uses up no key", async () => {
    expect(await store.update(lamp, 1, (current) => current, { once })).toBeUndefined();
    expect(await store.remove(lamp, 1, { once })).toBeUndefined();
    expect((await store.insert(lamp, example, { once })).id).toBe(1);
  });

  test("a result is kept for a day, or as long as its change says, and those that have expired are deleted first", async () => {
    const clock = controlClock();
    try {
      const insert = (key: string, more: { livesMs?: number; owner?: null } = {}) =>
        store.insert(lamp, example, { once: { ...once, key, ...more } }).then(({ id }) => id);
      const day = 86_400_000;
      await insert("week", { livesMs: 7 * day, owner: null });
      for (const key of ["a", "b", "c"]) await insert(key);
      clock.move(day - 1000);
      expect([await insert("a"), await insert("week")]).toEqual([2, 1]);
      clock.move(2000);
      // Each new key deletes two that have expired.
      expect([await insert("d"), await insert("e")]).toEqual([5, 6]);
      expect([await insert("a"), await insert("week")]).toEqual([7, 1]);
      clock.move(6 * day);
      expect(await insert("week", { livesMs: 7 * day, owner: null })).toBe(8);
    } finally {
      clock.release();
    }
  });

  test("a key with another fingerprint is refused", async () => {
    await store.insert(lamp, example);
    await store.remove(lamp, 1, { once });
    const refused = store.update(lamp, 1, (current) => current, { once: { ...once, fingerprint: "g" } });
    expect(await refused.catch((error: unknown) => error)).toBeInstanceOf(KeyReused);
  });
});
