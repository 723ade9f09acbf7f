// Over HTTP: fields that clients see and do not set, and rules, in every way to write a record.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { crud } from "warren/crud";
import { defineResource, mistake, oneOf } from "warren/resource";
import { Conflict, defineRoute } from "warren/route";
import { openApi, type TestApi } from "./support/api";

const booking = defineResource({
  name: "booking",
  fields: { room: Type.String({ minLength: 1 }), nights: Type.Integer({ minimum: 1 }), from: Type.String({ format: "date" }) },
  managed: { state: { schema: oneOf("held", "paid"), initial: "held" } },
  derived: { price: { schema: Type.Number(), from: ({ nights }) => nights * 80 } },
  check({ room, nights }, { previous }) {
    if (room === "boom") throw new Error("the rule is broken");
    if (previous && previous.room !== room) return [mistake("/room", "A booking keeps its room.")];
    return nights > 30 ? [mistake("/nights", "At most 30 nights.")] : [];
  },
  example: { room: "12", nights: 2, from: "2026-12-24" },
});

const pay = defineRoute(({ storeFor }) =>
  new Elysia().post("", async ({ params, request }) => {
    const paid = await storeFor(request).update(booking, Number((params as { id: string }).id), (current) => {
      if (current.state === "paid") throw new Conflict("The booking is paid.");
      return { ...current, state: "paid" as const };
    });
    return new Response(paid?.json, { headers: { "content-type": "application/json" } });
  }),
);

let api: TestApi;
beforeEach(() => {
  api = openApi({
    resources: [booking],
    routes: [
      { file: "bookings.ts", path: "/bookings", route: crud(booking) },
      { file: "bookings/[id]/pay.ts", path: "/bookings/:id/pay", route: pay },
    ],
  });
});
afterEach(() => api.close());

const { example } = booking;
const create = () => api.send("POST", "/bookings", example);
const types = async () => (await api.events()).map(({ type }) => type);

describe("managed and derived fields", () => {
  test("are in the record, in lists and in events", async () => {
    const { status, json } = await create();
    const record = json();
    expect([status, record]).toEqual([201, expect.objectContaining({ state: "held", price: 160 })]);
    expect((await api.send("GET", "/bookings")).json()).toEqual({ bookings: [record], next: null });
    expect(await api.events()).toEqual([expect.objectContaining({ booking: record })]);
  });

  const reasons = [
    { pointer: "/state", detail: "Set by the service, not by clients; leave it out." },
    { pointer: "/price", detail: "Computed by the service; leave it out." },
  ];
  test.each([
    ["POST", "/bookings", { ...example, state: "paid", price: 1 }],
    ["PUT", "/bookings/1", { ...example, state: "held", price: 160 }],
    ["PATCH", "/bookings/1", { state: "paid", price: 1 }],
    ["PATCH", "/bookings/1", { state: null, price: null }],
  ])("sent with %s %s are 422, with who sets them", async (method, path, body) => {
    await create();
    const answer = await api.send(method, path, body);
    expect([answer.status, answer.json()]).toEqual([422, expect.objectContaining({ errors: reasons })]);
    expect(await types()).toEqual(["booking.created"]);
  });

  test("a whole record sent back is 422, with who sets each field that clients cannot", async () => {
    const record = (await create()).json<object>();
    const { errors } = (await api.send("PUT", "/bookings/1", record)).json<{ errors: { pointer: string; detail: string }[] }>();
    const byService = ["/id", "/state", "/version", "/createdAt", "/updatedAt"];
    expect(errors.filter(({ detail }) => detail.startsWith("Set by the service")).map(({ pointer }) => pointer)).toEqual(byService);
    expect(errors).toHaveLength(byService.length + 1);
  });

  test("sent in a bulk are 422 in their place", async () => {
    const { json } = await api.send("POST", "/bookings/bulk", [{ ...example, state: "paid", price: 1 }, example]);
    expect(json()).toMatchObject({ created: 1, results: [{ status: 422, problem: { errors: reasons } }, { booking: { state: "held" } }] });
  });

  test("PUT and PATCH keep a managed field and compute a derived one", async () => {
    await create();
    expect((await api.send("POST", "/bookings/1/pay")).json()).toMatchObject({ state: "paid", version: 2 });
    expect((await api.send("PUT", "/bookings/1", { ...example, nights: 3 })).json()).toMatchObject({
      state: "paid",
      price: 240,
      version: 3,
    });
    expect((await api.send("PATCH", "/bookings/1", { nights: 1 })).json()).toMatchObject({ state: "paid", price: 80, version: 4 });
    expect((await api.send("PATCH", "/bookings/1", { nights: 1 })).json()).toMatchObject({ version: 4 });
  });

  test("the OpenAPI document has them in the record, and not in what clients send", async () => {
    const { text, json } = await api.send("GET", "/swagger/json");
    const { schemas } = json<{ components: { schemas: Record<string, { properties: object }> } }>().components;
    const keys = (name: string) => Object.keys(schemas[name]?.properties ?? {});
    expect(keys("Booking")).toEqual(["id", "room", "nights", "from", "state", "price", "version", "createdAt", "updatedAt"]);
    expect([keys("BookingInput"), keys("BookingPatch")]).toEqual(Array(2).fill(["room", "nights", "from"]));
    expect(text).toContain('"from":"2026-12-24","state":"held","price":160');
  });
});

describe("a rule", () => {
  const tooLong = [{ pointer: "/nights", detail: "At most 30 nights." }];

  test.each([
    ["POST", "/bookings", { ...example, nights: 31 }, tooLong],
    ["PUT", "/bookings/1", { ...example, nights: 31 }, tooLong],
    ["PATCH", "/bookings/1", { nights: 31 }, tooLong],
    ["PATCH", "/bookings/1", { room: "13" }, [{ pointer: "/room", detail: "A booking keeps its room." }]],
  ])("holds for %s %s: 422 with the places, and no warning in the log", async (method, path, body, errors) => {
    await create();
    const answer = await api.send(method, path, body);
    expect([answer.status, answer.json()]).toEqual([
      422,
      expect.objectContaining({ type: "/problems/invalid", detail: "The booking is not valid.", errors }),
    ]);
    expect([await types(), api.lines]).toEqual([["booking.created"], []]);
  });

  test("with an Idempotency-Key, leaves the key free", async () => {
    const key = { "idempotency-key": "k" };
    expect((await api.send("POST", "/bookings", { ...example, nights: 31 }, key)).status).toBe(422);
    expect((await api.send("POST", "/bookings", example, key)).status).toBe(201);
  });

  test("that throws is a 500 with the request id, which the log explains; requests beside it are answered", async () => {
    const broken = api.send("POST", "/bookings", { ...example, room: "boom" }, { "x-request-id": "r1" });
    const [failed, fine] = await Promise.all([broken, create()]);
    expect([failed.status, failed.json(), fine.status]).toEqual([
      500,
      expect.objectContaining({ type: "/problems/internal", requestId: "r1" }),
      201,
    ]);
    expect(failed.text).not.toContain("broken");
    expect(api.lines).toEqual([
      expect.objectContaining({
        requestId: "r1",
        error: 'The check of "booking" threw Error: the rule is broken',
        stack: expect.stringContaining("http-rules.test.ts"),
      }),
    ]);
    expect(await types()).toEqual(["booking.created"]);
  });

  const several = [example, { ...example, nights: 31 }, { ...example, nights: 0 }, { ...example, room: "boom" }, example];
  test("in a bulk only the record that breaks it fails, also when it throws", async () => {
    const { status, json } = await api.send("POST", "/bookings/bulk", several, { "x-request-id": "r2" });
    expect([status, json()]).toEqual([
      200,
      {
        created: 2,
        failed: 3,
        results: [
          { index: 0, status: 201, booking: expect.objectContaining({ id: 1 }) },
          { index: 1, status: 422, problem: expect.objectContaining({ type: "/problems/invalid", errors: tooLong }) },
          { index: 2, status: 422, problem: expect.objectContaining({ errors: [expect.objectContaining({ pointer: "/nights" })] }) },
          { index: 3, status: 500, problem: expect.objectContaining({ type: "/problems/internal", status: 500 }) },
          { index: 4, status: 201, booking: expect.objectContaining({ id: 2 }) },
        ],
      },
    ]);
    expect(api.lines).toEqual([expect.objectContaining({ requestId: "r2", error: expect.stringContaining("the rule is broken") })]);
    expect(await types()).toEqual(["booking.created", "booking.created"]);
  });

  test("a bulk of lines, sent again with its key: the same answer, and nothing is created twice", async () => {
    const lines = several.map((each) => JSON.stringify(each)).join("\n");
    const headers = { "content-type": "application/x-ndjson", "idempotency-key": "k" };
    const first = await api.send("POST", "/bookings/bulk", lines, headers);
    expect(first.text.split("\n").map((line) => (line === "" ? 0 : JSON.parse(line).status))).toEqual([201, 422, 422, 500, 201, 0]);
    expect((await api.send("POST", "/bookings/bulk", lines, headers)).text).toBe(first.text);
    expect(await types()).toHaveLength(2);
  });
});

test("a change that throws Conflict is a 409 with its words", async () => {
  await create();
  await api.send("POST", "/bookings/1/pay");
  const { status, json } = await api.send("POST", "/bookings/1/pay");
  expect([status, json()]).toEqual([409, expect.objectContaining({ type: "/problems/conflict", detail: "The booking is paid." })]);
});
