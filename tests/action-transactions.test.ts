// action() with `transaction`: one commit with the changes of other records.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { action, Conflict } from "warren/action";
import { crud } from "warren/crud";
import { defineResource, oneOf } from "warren/resource";
import { openApi, type TestApi } from "./support/api";

const seat = defineResource({
  name: "seat",
  fields: { row: Type.String() },
  managed: { booking: { schema: Type.Integer({ minimum: 0 }), initial: 0 } },
  example: { row: "A" },
});
const booking = defineResource({
  name: "booking",
  fields: { seats: Type.Array(Type.Integer({ minimum: 1 })) },
  managed: { state: { schema: oneOf("asked", "held"), initial: "asked" } },
  events: { held: { by: Type.String() } },
  example: { seats: [1, 2] },
});

const hold = action(booking, {
  summary: "Hold the seats",
  body: Type.Object({ by: Type.String({ minLength: 1 }) }),
  async transaction(tx, { id, state, seats }) {
    if (state === "held") throw new Conflict("The seats are held already.");
    for (const each of seats) {
      const { row, booking } = await tx.read(seat, each);
      if (booking > 0) throw new Conflict(`Seat ${row} is taken.`);
      await tx.update(seat, each, { booking: id });
    }
    return { state: "held" };
  },
  emit: { held: ({ by }) => ({ by }) },
});

let api: TestApi;
beforeEach(async () => {
  api = openApi({
    resources: [seat, booking],
    routes: [
      { file: "seats.ts", path: "/seats", route: crud(seat) },
      { file: "bookings.ts", path: "/bookings", route: crud(booking) },
      { file: "bookings/[id]/hold.ts", path: "/bookings/:id/hold", route: hold },
    ],
  });
  for (const row of ["A", "B"]) await api.send("POST", "/seats", { row });
  await api.send("POST", "/bookings", { seats: [1, 2] });
});
afterEach(() => api.close());

const holding = (id: number, headers = {}) => api.send("POST", `/bookings/${id}/hold`, { by: "Ada" }, headers);
const types = async () => (await api.events()).slice(3).map(({ type }) => type);

test("all records change in one commit, and the answer is the record with its ETag", async () => {
  const answer = await holding(1);
  expect([answer.status, answer.json<object>()]).toMatchObject([200, { id: 1, state: "held", version: 2 }]);
  const read = await api.send("GET", "/bookings/1");
  expect([answer.text, answer.headers.get("etag")]).toEqual([read.text, read.headers.get("etag")]);
  expect((await api.send("GET", "/seats/2")).json<object>()).toMatchObject({ booking: 1, version: 2 });
  expect(await types()).toEqual(["seat.updated", "seat.updated", "booking.updated", "booking.held"]);
  expect((await api.events()).at(-1)).toMatchObject({ booking: { state: "held" }, data: { by: "Ada" } });
});

test("a Conflict undoes what the transaction has changed before", async () => {
  await api.send("POST", "/seats", { row: "C" });
  await api.send("POST", "/bookings", { seats: [3, 2] });
  await holding(1);
  expect([(await holding(2)).status, (await holding(2)).json<object>()]).toMatchObject([409, { detail: "Seat B is taken." }]);
  expect((await api.send("GET", "/seats/3")).json<object>()).toMatchObject({ booking: 0, version: 1 });
});

test("of many at the same time for one seat, one gets it", async () => {
  for (let other = 2; other <= 8; other += 1) await api.send("POST", "/bookings", { seats: [1] });
  const statuses = await Promise.all(Array.from({ length: 8 }, async (_, index) => (await holding(index + 1)).status));
  expect(statuses.sort()).toEqual([200, ...Array(7).fill(409)]);
});

test("a record that does not exist is a 404, and If-Match of another version is a 412 that changes nothing", async () => {
  expect((await holding(7)).json<object>()).toMatchObject({ status: 404, detail: "There is no booking 7." });
  expect((await holding(1, { "if-match": '"7-aaaaaa"' })).status).toBe(412);
  expect(await types()).toEqual([]);
  const etag = (await api.send("GET", "/bookings/1")).headers.get("etag") ?? "";
  expect((await holding(1, { "if-match": etag })).status).toBe(200);
});

test("with an Idempotency-Key, a repeated request gets the first answer", async () => {
  const key = { "idempotency-key": "hold-1" };
  const [first, again] = [await holding(1, key), await holding(1, key)];
  expect([first.status, again.status, again.text]).toEqual([200, 200, first.text]);
  expect((await holding(1)).status).toBe(409);
});

test("the documentation names its events and problems", async () => {
  type Document = { paths: Record<string, Record<string, { description: string; responses: object }>> };
  const document = (await api.send("GET", "/swagger/json")).json<Document>();
  const operation = document.paths["/bookings/{id}/hold"]?.["post"];
  expect(operation).toMatchObject({ summary: "Hold the seats", tags: ["bookings"] });
  expect(operation?.description).toBe(
    "Publishes booking.updated, unless nothing changes; booking.held; the events of the other records that it changes.",
  );
  expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining(["200", "404", "409", "412", "422", "503"]));
});
