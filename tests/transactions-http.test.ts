// A transaction in a route of a user's own: with the request's identity and headers, and answers as those of crud().
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { Conflict } from "warren/action";
import { crud } from "warren/crud";
import { defineResource, mistake } from "warren/resource";
import { conditionsOf, defineRoute, jsonBody, recordResponse, type Transaction } from "warren/route";
import { TransactionGaveUp } from "../src/store/errors";
import { type Answer, openApi, storeWith, type TestApi } from "./support/api";

const account = defineResource({
  name: "account",
  fields: { owner: Type.String() },
  managed: { balance: { schema: Type.Integer(), initial: 100 } },
  check: ({ owner }, { actor }) => (owner === "bank" && actor?.subject !== "bank" ? [mistake("/owner", "Not yours.")] : []),
  example: { owner: "Ada" },
});
const booking = defineResource({
  name: "booking",
  fields: { from: Type.Integer(), to: Type.Integer(), amount: Type.Integer() },
  example: { from: 1, to: 2, amount: 1 },
});

const body = Type.Object({ to: Type.Integer(), amount: Type.Integer({ minimum: 1 }) }, { additionalProperties: false });

const transfer = defineRoute(({ storeFor }) =>
  new Elysia().post(
    "",
    async ({ params, body, request }) => {
      const [from, { to, amount }] = [Number(params.id), body];
      const { guard, once } = conditionsOf(account, request, body);
      const made = await storeFor(request).transaction(
        async (tx) => {
          const { balance } = await tx.read(account, from);
          if (balance < amount) throw new Conflict(`The balance is ${balance}.`);
          await tx.update(account, from, { balance: balance - amount }, { guard });
          await tx.update(account, to, ({ balance }) => ({ balance: balance + amount }));
          return tx.insert(booking, { from, to, amount });
        },
        { once },
      );
      return recordResponse(made, 201, { location: `/bookings/${made.id}` });
    },
    { params: Type.Object({ id: Type.String() }), ...jsonBody(body, "application/json") },
  ),
);

const wrong = (work: (tx: Transaction, store: { insert: () => Promise<unknown> }) => unknown) =>
  defineRoute(({ storeFor }) =>
    new Elysia().post("", async ({ request }) => {
      const insert = () => storeFor(request).insert(account, account.example);
      await storeFor(request).transaction(async (tx) => void (await work(tx, { insert })));
      return "done";
    }),
  );

const routes = [
  { file: "accounts.ts", path: "/accounts", route: crud(account) },
  { file: "bookings.ts", path: "/bookings", route: crud(booking) },
  { file: "accounts/[id]/transfer.ts", path: "/accounts/:id/transfer", route: transfer },
  { file: "forgets.ts", path: "/forgets", route: wrong((tx) => void tx.remove(account, 1)) },
  { file: "apart.ts", path: "/apart", route: wrong(async (_, { insert }) => insert()) },
  { file: "steals.ts", path: "/steals", route: wrong((tx) => tx.update(account, 1, { owner: "bank" })) },
  {
    file: "floods.ts",
    path: "/floods",
    route: wrong(async (tx) => {
      for (let n = 0; n <= 1000; n += 1) await tx.insert(booking, booking.example);
    }),
  },
];

let api: TestApi;
beforeEach(async () => {
  api = openApi({ resources: [account, booking], routes });
  for (const owner of ["Ada", "Bob"]) await api.send("POST", "/accounts", { owner });
});
afterEach(() => api.close());

const send = (body: object, headers = {}) => api.send("POST", "/accounts/1/transfer", body, headers);
const balances = async () => {
  const { accounts } = (await api.send("GET", "/accounts")).json<{ accounts: { balance: number }[] }>();
  return accounts.map(({ balance }) => balance);
};
const events = async () => (await api.events()).length;

test("changes several records, and answers with one as crud() does", async () => {
  const answer = await send({ to: 2, amount: 30 }, { "x-request-id": "transfer-1" });
  const read = await api.send("GET", "/bookings/1");
  const whole = ({ text, headers }: Answer) => [text, headers.get("etag"), headers.get("content-type")];
  expect([answer.status, answer.headers.get("location"), ...whole(answer)]).toEqual([201, "/bookings/1", ...whole(read)]);
  expect(await balances()).toEqual([70, 130]);
  for (const { id } of (await api.events()).slice(2))
    expect(await api.store.find(String(id))).toMatchObject({ requestId: "transfer-1", requestedAt: expect.any(Number) });
});

describe("is refused, and nothing is changed", () => {
  test.each([
    ["with the Conflict that it throws", () => send({ to: 2, amount: 101 }), 409, "The balance is 100."],
    ["for a record that does not exist", () => send({ to: 9, amount: 1 }), 404, "There is no account 9."],
    ["if If-Match does not hold", () => send({ to: 2, amount: 1 }, { "if-match": '"1-x"' }), 412, expect.stringContaining("If-Match")],
    ["by a rule, which knows the actor", () => api.send("POST", "/steals"), 422, "The account is not valid."],
    ["for too many changes", () => api.send("POST", "/floods"), 409, expect.stringContaining("at most 1000 changes")],
  ])("%s", async (_, request, status, detail) => {
    const answer = await request();
    expect([answer.status, answer.json<{ detail: string }>().detail]).toEqual([status, detail]);
    expect([await balances(), await events()]).toEqual([[100, 100], 2]);
  });

  test.each([
    ["/forgets", 'The transaction returned before tx.remove(account, 1) was done. Nothing was changed. Put "await" before each call.'],
    [
      "/apart",
      "A change of the store inside of a transaction would not be part of it; make it with the transaction, such as tx.update(…).",
    ],
  ])("with 500 for a mistake of the route, and the log says which: %s", async (path, message) => {
    const { status, json } = await api.send("POST", path);
    expect([status, json<{ detail?: string }>().detail, await events()]).toEqual([500, undefined, 2]);
    expect(api.lines.map(({ error }) => error)).toContain(message);
  });

  test("with 503 and when to try again if it gave up", async () => {
    const busy = openApi({
      resources: [account, booking],
      routes,
      wrap: (store) => storeWith(store, { transaction: () => Promise.reject(new TransactionGaveUp("Too slow.")) }),
    });
    const { status, headers, json } = await busy.send("POST", "/accounts/1/transfer", { to: 2, amount: 1 });
    expect([status, headers.get("retry-after"), json()]).toEqual([
      503,
      "1",
      expect.objectContaining({ type: "/problems/unavailable", detail: "Too slow. Nothing was changed. Try again." }),
    ]);
    await busy.close();
  });
});

test("with an Idempotency-Key: again, the first answer, though the transfer could not be made twice", async () => {
  const key = { "idempotency-key": "k1" };
  const first = await send({ to: 2, amount: 100 }, key);
  const again = await Promise.all([send({ to: 2, amount: 100 }, key), send({ amount: 100, to: 2 }, key)]);
  for (const { status, text, headers } of again)
    expect([status, text, headers.get("etag"), headers.get("location")]).toEqual([
      201,
      first.text,
      first.headers.get("etag"),
      "/bookings/1",
    ]);
  expect((await send({ to: 2, amount: 1 }, key)).json()).toMatchObject({ status: 422, type: "/problems/idempotency-key-reused" });
  expect([await balances(), await events()]).toEqual([[0, 200], 5]);
});

test("64 clients at once, in both directions: the sums are exact, and no request fails", async () => {
  const client = async (n: number) => {
    const statuses = [];
    for (let round = 0; round < 5; round += 1)
      statuses.push(
        (await api.send("POST", `/accounts/${1 + ((n + round) % 2)}/transfer`, { to: 2 - ((n + round) % 2), amount: 1 })).status,
      );
    return statuses;
  };
  const statuses = (await Promise.all(Array.from({ length: 64 }, (_, n) => client(n)))).flat();
  expect(new Set(statuses)).toEqual(new Set([201]));
  expect((await balances()).reduce((sum, each) => sum + each, 0)).toBe(200);
  expect(await events()).toBe(2 + 3 * 64 * 5);
});
